/** Why a map file cannot be shown, as a text of the page with its values. */

export type Fault = 'noPlace' | 'projection' | 'outside' | 'tooLarge' | 'pixels' | 'damaged' | 'tooSlow' | 'noArchive' | 'tiles' | 'other'

/** What a sentence names; `name` of the file is added by whoever says it. */
export type Words = Record<string, string>

/** A file that will not become readable by asking again. */
export class MapFault extends Error {
  constructor(
    readonly fault: Fault,
    readonly words: Words = {},
  ) {
    super(fault)
  }
}

/** A text of the page and what it names; `n` is counted. */
export interface Saying {
  key: string
  words: Words
}

/** What to say of a file that could not be shown. */
export function saying(error: unknown, name: string): Saying {
  if (error instanceof MapFault) return { key: `ownMaps.fault.${error.fault}`, words: { ...error.words, name } }
  return { key: 'ownMaps.fault.other', words: { name, reason: error instanceof Error ? error.message : String(error) } }
}
