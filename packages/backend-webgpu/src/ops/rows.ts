/* eslint-disable */
export const linear: any = () => {
  throw new Error('to be written');
};
export const norm: any = linear;
export const rotary: any = linear;
export const hadamard: any = linear;
export const quantise: any = linear;
