/* eslint-disable */
export const select: any = () => {
  throw new Error('to be written');
};
