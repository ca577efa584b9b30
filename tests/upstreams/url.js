// The routes of policy.yaml on Node's own server and WHATWG URLs, no framework: `node url.js plain|fitted`; prints its port.
// `fitted` is what docs/upstreams.md advises.
const http = require("node:http");
const { canonical } = require("./canonical.js");

// In the order of precedence; a path in a URL stays escaped.
const ROUTES = [
  [/^\/$/, "/"],
  [/^\/healthz$/, "/healthz"],
  [/^\/timesheets$/, "/timesheets"],
  [/^\/timesheets\/export$/, "/timesheets/export"],
  [/^\/timesheets\/([^/]+)$/, "/timesheets/{id}"],
  [/^\/timesheets\/([^/]+)\/lines\/([^/]+)$/, "/timesheets/{id}/lines/{line}"],
  [/^\/files\/new\/draft$/, "/files/new/draft"],
  [/^\/files\/([^/]+)\/info$/, "/files/{id}/info"],
  [/^\/files(?:\/(.*))?$/, "/files/{*rest}"],
  [/^\/assets\/private(?:\/(.*))?$/, "/assets/private/{*rest}"],
  [/^\/assets(?:\/(.*))?$/, "/assets/{*rest}"],
  [/^\/users\/@me$/, "/users/@me"],
  [/^\/users\/([^/]+)$/, "/users/{id}"],
  [new RegExp(`^${encodeURI("/reports/übersicht")}$`), "/reports/übersicht"],
  [/^\/reports\/([^/]+)$/, "/reports/{name}"],
  [/^\/slash\/([^/]+)$/, "/slash/{name}"],
  [/^\/slash\/([^/]+)\/literal$/, "/slash/{name}/literal"],
  [/^\/semicolon\/new$/, "/semicolon/new"],
  [/^\/semicolon\/([^/]+)$/, "/semicolon/{name}"],
  [/^\/percent\/new$/, "/percent/new"],
  [/^\/percent\/([^/]+)$/, "/percent/{name}"],
  [/^\/rest\/new$/, "/rest/new"],
  [/^\/rest(?:\/(.*))?$/, "/rest/{*rest}"],
  [/^\/([^/]+)\/settings$/, "/{tenant}/settings"],
];
const isFitted = process.argv[2] === "fitted";

const server = http.createServer((request, response) => {
  const url = isFitted ? canonical(request.url).replace(/(?<=[^?])\/(?=\?|$)/, "") : request.url;
  const { pathname } = new URL(url, "http://upstream");
  const route = ROUTES.find(([pattern]) => pattern.test(pathname));
  response.writeHead(route ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
  response.end(route ? `${route[1]}\n${pathname}` : "not found");
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
