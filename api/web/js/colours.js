/** Colours: of classes (cool) and of severities (warm); the style sheet has the same. */

const CLASS = { L: "#5cc4ff", C: "#b59bff", H: "#ff8fd6", B: "#4fdcb0", T: "#a5e06b", F: "#9db3c9" };
const SEVERITY = { 4: "#ff6b70", 3: "#ff9d45", 2: "#f7d154", 1: "#8fb4d8" };

export const classColour = (code) => CLASS[code] ?? "#9db3c9";
export const severityColour = (severity) => SEVERITY[severity] ?? "#8fb4d8";
