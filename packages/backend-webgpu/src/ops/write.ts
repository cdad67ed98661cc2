/* eslint-disable */
export const writeRows: any = () => {
  throw new Error('to be written');
};
export const copyPages: any = writeRows;
export const copyInto: any = writeRows;
