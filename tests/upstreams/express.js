// The routes of policy.yaml in Express, in the order of precedence: `node express.js plain|fitted`; prints its port.
// `fitted` is what docs/upstreams.md advises.
const express = require("express");
const { canonical } = require("./canonical.js");

const app = express();
const isFitted = process.argv[2] === "fitted";
if (isFitted) {
  app.set("case sensitive routing", true);
  app.use((request, _response, next) => {
    request.url = canonical(request.url);
    next();
  });
}

const serve = (path, name) =>
  app.get(path, (request, response) => {
    response.type("text/plain").send(`${name}\n${JSON.stringify(request.params)}`);
  });

serve("/", "/");
serve("/healthz", "/healthz");
serve("/timesheets", "/timesheets");
serve("/timesheets/export", "/timesheets/export");
serve("/timesheets/:id", "/timesheets/{id}");
serve("/timesheets/:id/lines/:line", "/timesheets/{id}/lines/{line}");
serve("/files/new/draft", "/files/new/draft");
serve("/files/:id/info", "/files/{id}/info");
serve("/files{/*rest}", "/files/{*rest}");
serve("/assets/private{/*rest}", "/assets/private/{*rest}");
serve("/assets{/*rest}", "/assets/{*rest}");
serve("/users/@me", "/users/@me");
serve("/users/:id", "/users/{id}");
// Express compares literals with the path as it came.
serve(encodeURI("/reports/übersicht"), "/reports/übersicht");
serve("/reports/:name", "/reports/{name}");
serve("/slash/:name", "/slash/{name}");
serve("/slash/:name/literal", "/slash/{name}/literal");
serve("/semicolon/new", "/semicolon/new");
serve("/semicolon/:name", "/semicolon/{name}");
serve("/percent/new", "/percent/new");
serve("/percent/:name", "/percent/{name}");
serve("/rest/new", "/rest/new");
serve("/rest{/*rest}", "/rest/{*rest}");
serve("/:tenant/settings", "/{tenant}/settings");

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
