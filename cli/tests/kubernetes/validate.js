// Holds Kubernetes resources against the schemas that Istio and Envoy Gateway publish for them (their CustomResourceDefinitions, as npm packages).
//
//   node validate.js < resources.json
//
// A list of resources comes in; for each, what is wrong with it goes out, or null.

const PACKAGES = {
  "extensions.istio.io": "istio",
  "networking.istio.io": "istio",
  "gateway.envoyproxy.io": "envoy-gateway",
};

async function validated(resource) {
  const [group, version] = resource.apiVersion.split("/");
  if (!(group in PACKAGES)) {
    return `no schemas of the group ${group} are here`;
  }
  const models = await import(`@kubernetes-models/${PACKAGES[group]}/${group}/${version}`);
  const Model = models[resource.kind];
  if (Model === undefined) {
    return `${resource.apiVersion} has no ${resource.kind}`;
  }
  try {
    new Model(resource).validate();
    return null;
  } catch (error) {
    return error.message;
  }
}

let text = "";
for await (const piece of process.stdin) {
  text += piece;
}
const found = [];
for (const resource of JSON.parse(text)) {
  found.push(await validated(resource));
}
process.stdout.write(`${JSON.stringify(found)}\n`);
