/* eslint-disable */
export const attend: any = () => {
  throw new Error('to be written');
};
