// The one spelling of a request target: in each segment of its path, what need not be escaped is not, and the rest is in capitals.
// Routers that compare literals with the path as it came (Express, or plain code on WHATWG URLs) then see the literals.
exports.canonical = (target) => {
  const [path, ...query] = target.split("?");
  const segments = path.split("/").map((segment) =>
    // encodeURI leaves these three, which would part the path.
    encodeURI(decodeURIComponent(segment)).replace(/[/?#]/g, encodeURIComponent),
  );
  return [segments.join("/"), ...query].join("?");
};
