/* eslint-disable */
export const merge: any = () => {
  throw new Error('to be written');
};
