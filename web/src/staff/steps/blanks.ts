/** What a step asks for, field by field. */
export interface Blank {
  name: string
  /** A list to choose from, a line of text, a longer text, or how many. */
  kind: 'choice' | 'line' | 'text' | 'count'
  choices?: readonly string[]
  /** Of a line: what may be taken, beside whatever is typed. */
  offers?: readonly string[]
  needed?: boolean
}

/** A list to choose from; null when there is nothing in it: then the step cannot be taken now. */
export function choiceOf(name: string, choices: readonly string[]): Blank[] | null {
  return choices.length ? [{ name, kind: 'choice', choices, needed: true }] : null
}

/** Only what was filled in goes to the node. */
export function filled(values: Record<string, string | number>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (String(value).trim() ? [[name, String(value).trim()]] : [])))
}
