// The routes of policy.yaml in Fastify: `node fastify.js plain|fitted`; prints its port. Its router knows precedence by itself.
// `fitted` is what docs/upstreams.md advises.
const fastify = require("fastify");
const { canonical } = require("./canonical.js");

const isFitted = process.argv[2] === "fitted";
const fitted = {
  routerOptions: { ignoreTrailingSlash: true },
  rewriteUrl: (request) => canonical(request.url),
};
const app = fastify(isFitted ? fitted : {});

const serve = (path, name) =>
  app.get(path, (request, reply) => {
    reply.type("text/plain; charset=utf-8").send(`${name}\n${JSON.stringify(request.params)}`);
  });

serve("/", "/");
serve("/healthz", "/healthz");
serve("/timesheets", "/timesheets");
serve("/timesheets/export", "/timesheets/export");
serve("/timesheets/:id", "/timesheets/{id}");
serve("/timesheets/:id/lines/:line", "/timesheets/{id}/lines/{line}");
serve("/files/new/draft", "/files/new/draft");
serve("/files/:id/info", "/files/{id}/info");
serve("/files/*", "/files/{*rest}");
serve("/assets/private/*", "/assets/private/{*rest}");
serve("/assets/*", "/assets/{*rest}");
serve("/users/@me", "/users/@me");
serve("/users/:id", "/users/{id}");
serve("/reports/übersicht", "/reports/übersicht");
serve("/reports/:name", "/reports/{name}");
serve("/slash/:name", "/slash/{name}");
serve("/slash/:name/literal", "/slash/{name}/literal");
serve("/semicolon/new", "/semicolon/new");
serve("/semicolon/:name", "/semicolon/{name}");
serve("/percent/new", "/percent/new");
serve("/percent/:name", "/percent/{name}");
serve("/rest/new", "/rest/new");
serve("/rest/*", "/rest/{*rest}");
serve("/:tenant/settings", "/{tenant}/settings");
// A star takes what follows a slash; without one there is a route of its own.
for (const path of ["/files", "/assets/private", "/assets", "/rest"]) serve(path, `${path}/{*rest}`);

app.listen({ port: 0, host: "127.0.0.1" }).then(() => console.log(app.server.address().port));
