/** What an action is; the tables of them are gathered in actions.ts. */
import type { Shell } from './shell'

export type Section = 'go' | 'find' | 'map' | 'write' | 'look' | 'page'
export const SECTIONS: readonly Section[] = ['find', 'go', 'map', 'write', 'look', 'page']

export interface Action {
  id: string
  /** A catalogue key; `words` are its values, themselves catalogue keys or plain text with `=` in front. */
  title: string
  words?: Record<string, string>
  /** A catalogue key: more words by which the palette finds it. */
  also?: string
  section: Section
  /** As `keys.ts` reads them; the first is shown. */
  keys?: readonly string[]
  /** Works while somebody writes in a field, too. */
  in_fields?: boolean
  /** Absent: always. What cannot be done now is not offered and its keys do nothing. */
  when?(shell: Shell): boolean
  run(shell: Shell): unknown
  /** The same as a line of Python for the client, to be copied from the palette. */
  python?(shell: Shell): string | null
}
