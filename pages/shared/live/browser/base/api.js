// API: where the server's own routes are. It may serve the program under a path, such as /dln/.

/** The address of the routes, as the browser reached this file: ``…/api/``. */
export const API = import.meta.url.replace(/assets\/.*$/, "");
