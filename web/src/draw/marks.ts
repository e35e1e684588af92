/** How a drawn point looks: a mark in a colour, or its name alone. */

export const MARKS = ['dot', 'flag', 'caution', 'circle'] as const
export type Mark = (typeof MARKS)[number]
export interface MarkLook {
  /** `text`: only the name is shown. */
  mark: Mark | 'text'
  /** #rrggbb. */
  colour: string
}

/** Pictures of the icon set that ATAK brings along; the node writes the same (`drawings.py`). */
const GOOGLE = 'f7f71666-8b28-4b57-9fbb-e38e61d33b79/Google/'
const PICTURES: Record<string, Mark> = { 'flag.png': 'flag', 'caution.png': 'caution', 'placemark_circle.png': 'circle' }
const SPOTS = 'COT_MAPPING_SPOTMAP/b-m-p-s-m/'
/** Those that are offered, by the word of the catalogue. */
export const COLOURS = { blue: '#3d9bff', amber: '#ffb020', green: '#35b56a', red: '#e5484d', violet: '#a76bff', grey: '#8fa1b3' } as const
/** The colour of a point that says none. */
export const PLAIN = '#ffffff'

/** #rrggbb of Android's signed ARGB number; null where there is none. */
export function cssOfArgb(text: string | undefined): string | null {
  if (!text || !/^-?\d{1,10}$/.test(text)) return null
  return `#${(Number(text) & 0xffffff).toString(16).padStart(6, '0')}`
}

/** The mark that fields of a report speak of; null: none that is known here. */
export function markOf(fields: Readonly<Record<string, string>> | undefined, sidc: string): MarkLook | null {
  const path = fields?.iconsetpath ?? ''
  // A symbol of its own says more.
  if (!path || sidc.slice(10, 16) !== '000000') return null
  const colour = cssOfArgb(fields?.color)
  if (path === `${SPOTS}LABEL`) return { mark: 'text', colour: colour ?? PLAIN }
  if (path.startsWith(SPOTS)) return { mark: 'dot', colour: colour ?? cssOfArgb(path.slice(SPOTS.length)) ?? PLAIN }
  const mark = path.startsWith(GOOGLE) ? PICTURES[path.slice(GOOGLE.length)] : undefined
  return mark ? { mark, colour: colour ?? PLAIN } : null
}

/** The mark on a ground of 24 units, as a path of SVG. */
export const MARK_PATHS: Record<Mark, string> = {
  dot: 'M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z',
  flag: 'M7 3v18h2.4v-7.6H19l-2.6-4.2L19 5H9.4V3z',
  caution: 'M12 3L22 20H2zM10.9 9v6h2.2V9zM10.9 16.2v2.2h2.2v-2.2z',
  circle: 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 9.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5z',
}
