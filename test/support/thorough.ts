/** Whether tests with random or repeated cases run all of them. Outside CI they run fewer. */
export const thorough = Boolean(process.env['CI']);
