/** The nine lines of a MEDEVAC request, from the fields that the report carries. */

export type Fields = Record<string, string>

/** A catalogue word below `medevac.`, with a number before it where it counts; or plain text. */
export interface Part {
  word?: string
  count?: number
  text?: string
}
export interface Line {
  /** Catalogue word below `medevac.`. */
  title: string
  parts: Part[]
}

const PRECEDENCE = ['urgent', 'urgent_surgical', 'priority', 'routine', 'convenience']
const CARRIAGE = ['litter', 'ambulatory']
const EQUIPMENT = ['equipment_none', 'hoist', 'extraction_equipment', 'ventilator']
const NATIONALITY = ['us_military', 'us_civilian', 'nonus_military', 'nonus_civilian', 'epw', 'child']
const TERRAIN = ['terrain_none', 'terrain_rough', 'terrain_loose', 'terrain_slope']
const SECURITY = ['security_none', 'security_possible', 'security_enemy', 'security_escort']
const MARKING = ['marking_panels', 'marking_pyro', 'marking_smoke', 'marking_none', 'marking_other']

function counts(fields: Fields, names: string[]): Part[] {
  return names.flatMap((word) => {
    const count = Number(fields[word])
    return count > 0 ? [{ word, count }] : []
  })
}
function flags(fields: Fields, names: string[]): Part[] {
  return names.flatMap((word) => (fields[word] === 'true' ? [{ word }] : []))
}
function texts(...values: (string | undefined)[]): Part[] {
  return values.flatMap((value) => (value?.trim() ? [{ text: value.trim() }] : []))
}
/** One of numbered words; a number that has none is shown as it came. */
function choice(value: string | undefined, words: string[]): Part[] {
  if (!value) return []
  const word = words[Number(value)]
  return word ? [{ word }] : [{ text: value }]
}

/** What fits on a card: how urgent, and how many lie and walk. */
export function medevacShort(fields: Fields): Part[] {
  return [...counts(fields, PRECEDENCE), ...counts(fields, CARRIAGE)]
}

/** Every line that says something, in the order of the form; empty when there is no request. */
export function nineLines(fields: Fields): Line[] {
  const lines: [string, Part[]][] = [
    ['zone', texts(fields.hlz_remarks)],
    ['frequency', texts(fields.freq)],
    ['precedence', counts(fields, PRECEDENCE)],
    ['equipment', [...flags(fields, EQUIPMENT), ...texts(fields.equipment_detail)]],
    ['patients', counts(fields, CARRIAGE)],
    ['security', choice(fields.security, SECURITY)],
    ['marking', choice(fields.hlz_marking, MARKING)],
    ['nationality', counts(fields, NATIONALITY)],
    ['terrain', [...flags(fields, TERRAIN), ...texts(fields.terrain_slope_dir, fields.terrain_other_detail)]],
    ['obstacles', texts(fields.obstacles)],
    ['wind', texts(fields.winds_are_from)],
    ['note', texts(fields.medline_remarks)],
  ]
  for (let n = 1; fields[`zMist${n}.z`] !== undefined || fields[`zMist${n}.m`] !== undefined; n++) {
    lines.push(['mist', texts(...['z', 'm', 'i', 's', 't'].map((letter) => fields[`zMist${n}.${letter}`]))])
  }
  return lines.filter(([, parts]) => parts.length).map(([title, parts]) => ({ title, parts }))
}
