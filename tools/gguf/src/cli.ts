import { main } from './program.js';

process.once('SIGINT', () => process.exit(130)); // what is half written goes on exit
process.exitCode = await main(process.argv.slice(2));
