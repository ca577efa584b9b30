type Attributes = Record<string, string>;
type Child = Node | string;

/** Makes an element. Text comes in as text nodes: markup in it stays text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

export function button(
  attributes: Attributes,
  label: Child,
  onClick: () => void,
): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', onClick);
  return made;
}

/** A drawing of one stroke, for the eye alone: the control around it has a name of its own. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [attribute, value] of Object.entries({ viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' })) {
    svg.setAttribute(attribute, value);
  }
  const stroke = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  stroke.setAttribute('d', path);
  svg.append(stroke);
  return svg;
}

/** The app's mark: a clock. */
export function brand(): HTMLElement {
  return element('span', { class: 'brand' }, icon('M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.5V12l3 2'), element('span', {}, 'Timesheets'));
}
