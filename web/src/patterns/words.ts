/** What was measured, and against what, as sentences with units: never the names of parameters. */
import { joined } from '../acts/said'
import { marked } from '../geo/decimal'
import { metres, speed } from '../geo/format'
import { sign } from '../geo/units'

type Unit = 'm' | 'mps' | 'min' | 's' | 'deg' | 'count' | 'domain'
export type Say = (key: string, values?: Record<string, string>) => string

/** By the name of a value: the sentence, and the unit of its number. */
const VALUES: Record<string, [string, Unit]> = {
  minutes: ['lasted', 'min'],
  stop_radius_m: ['within', 'm'],
  usual_s: ['usual', 's'],
  across_m: ['across', 'm'],
  way_m: ['way', 'm'],
  apart_m: ['apart', 'm'],
  speed_mps: ['speed', 'mps'],
  limit_mps: ['limit', 'mps'],
  jumps: ['jumps', 'count'],
  was_domain: ['was', 'domain'],
  is_domain: ['is', 'domain'],
  off_m: ['off', 'm'],
  half_m: ['half', 'm'],
  stop_min: ['atLeast', 'min'],
  loiter_radius_m: ['box', 'm'],
  loiter_min: ['atLeast', 'min'],
  loiter_turns: ['turns', 'count'],
  loiter_span_m: ['span', 'm'],
  meeting_m: ['near', 'm'],
  meeting_mps: ['slow', 'mps'],
  meeting_min: ['atLeast', 'min'],
  travel_m: ['near', 'm'],
  travel_height_m: ['level', 'm'],
  travel_mps: ['moving', 'mps'],
  travel_deg: ['course', 'deg'],
  travel_min: ['atLeast', 'min'],
  gap_min: ['atLeast', 'min'],
  gap_intervals: ['intervals', 'count'],
  air_mps: ['limit', 'mps'],
  land_mps: ['limit', 'mps'],
  sea_mps: ['limit', 'mps'],
  other_mps: ['limit', 'mps'],
  fast_air_mps: ['kept', 'mps'],
  fast_land_mps: ['kept', 'mps'],
  fast_sea_mps: ['kept', 'mps'],
  fast_other_mps: ['kept', 'mps'],
  fast_min: ['atLeast', 'min'],
  twice_jumps: ['fro', 'count'],
  twice_min: ['pause', 'min'],
  off_route_min: ['atLeast', 'min'],
}
const DOMAINS = ['other', 'air', 'land', 'sea']

function amount(value: number, unit: Unit, say: Say): string {
  const round = marked(String(Math.round(value * 10) / 10))
  if (unit === 'm') return Math.abs(value) < 10_000 ? metres(value) : `${Math.round(value / 1000)} ${sign('km')}`
  if (unit === 'mps') return speed(value)
  if (unit === 'domain') return say(`patterns.domain.${DOMAINS[value] ?? 'other'}`)
  if (unit === 'deg') return `${round}°`
  return unit === 'count' ? round : say(`patterns.unit.${unit}`, { v: round })
}

/** One sentence for each value that is known; a name that a newer node brings is left out rather than shown raw. */
export function sentences(values: Record<string, number>, say: Say): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const [sentence, unit] = VALUES[name] ?? []
    return sentence && unit ? [say(`patterns.value.${sentence}`, { v: amount(value, unit, say) })] : []
  })
}

/** The gap of a field's label, with the unit of what is typed into it. */
function gapOf(unit: Unit, say: Say): string {
  if (unit === 'm') return `… ${sign('m')}`
  if (unit === 'mps') return `… ${sign('kph')}`
  if (unit === 'deg') return '…°'
  return unit === 'count' ? '…' : say(`patterns.unit.${unit}`, { v: '…' })
}
function ofWhom(name: string, text: string, say: Say): string {
  const domain = DOMAINS.find((one) => name === `${one}_mps` || name === `fast_${one}_mps`)
  return domain ? joined(say(`patterns.domain.${domain}`), text) : text
}
/** The sentence of a threshold as the label of its field, with a gap for the number and its unit; speeds say of whom they are. */
export function fieldLabel(name: string, say: Say): string {
  const [sentence, unit] = VALUES[name]
  return ofWhom(name, say(`patterns.value.${sentence}`, { v: gapOf(unit, say) }), say)
}
/** The same with its number. */
export const fieldSentence = (name: string, value: number, say: Say): string => ofWhom(name, sentences({ [name]: value }, say)[0] ?? '', say)
