/* eslint-disable */
export const pool: any = () => {
  throw new Error('to be written');
};
