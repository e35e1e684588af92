/** Why a track is one, in the reader's language: lines for people, made of the figures that the node gives. Pure. */
import type { Because, PlottedBy, TrackMember, WhyTrack } from '../../api.generated'
import { decimal, signed } from '../../geo/decimal'
import { metres } from '../../geo/format'

/** What the lines are said with: texts of the page, names of people, times. */
export interface Speech {
  /** count: of what stands in the sentence, for its plural. */
  t(key: string, words?: Record<string, unknown>, count?: number): string
  /** A principal's id as people call it. */
  nameOf(principal: string): string
  /** A time, UTC in milliseconds, as a date-time group. */
  when(at_ms: number): string
}

export interface MemberLine {
  id: string
  /** The source as people call it, and the name that it gives. */
  source: string
  name: string
  /** Identities that it bears, how sure radars are that it is there, and how good its place is. */
  about: string
  seen_at_ms: number
  /** A line for each radar that plots it; empty: it reports itself. */
  radars: string[]
}

/** What people have said, and stands. `track`: the symbol on the other side, where it is another one and may be seen. */
export interface SaidLine {
  text: string
  track: string | null
}

export interface WhyLines {
  sure: string
  conflicts: SaidLine[]
  members: MemberLine[]
  pairs: string[]
  said: SaidLine[]
}

/** Names of sources that are the same in every language. */
const PROPER: Readonly<Record<string, string>> = { mmsi: 'AIS', icao24: 'ADS-B', gps: 'GPS', gpx: 'GPX', mavlink: 'MAVLink', meshtastic: 'Meshtastic', dis: 'DIS', gmti: 'GMTI', misb: 'MISB', 'misb-footprint': 'MISB', cap: 'CAP', aquila: 'Aquila' }
const WORDS: ReadonlySet<string> = new Set(['radar', 'asterix', 'cot', 'fused'])
const KEYS: Readonly<Record<string, string>> = { mmsi: 'MMSI', icao24: 'ICAO 24', cot: 'UID' }
const RADAR = 'asterix:'

/** A source as people call it; one that the page does not know, as the node does. */
export function sourceWord(source: string, t: Speech['t']): string {
  return WORDS.has(source) ? t(`why.source.${source}`) : (PROPER[source] ?? source)
}

/** "mmsi:451000012" as MMSI 451000012. */
export function keyText(key: string): string {
  const at = key.indexOf(':')
  const scheme = key.slice(0, at)
  return `${KEYS[scheme] ?? scheme} ${scheme === 'icao24' ? key.slice(at + 1).toUpperCase() : key.slice(at + 1)}`
}

/** Under which name a source knows it: whose name it is, in words. */
export function aliasText(scheme: string, value: string, t: Speech['t']): string {
  if (scheme === 'cot') return `TAK ${value}`
  return scheme in KEYS ? keyText(`${scheme}:${value}`) : `${sourceWord(scheme, t)} ${value}`
}

/** All sources of a track, radars by their names. */
export function sourcesText(why: WhyTrack, t: Speech['t']): string {
  const words = why.members.flatMap(({ source, sensors }) => (sensors.length ? sensors.map(({ sensor }) => radarName(sensor, t)) : [sourceWord(source, t)]))
  return [...new Set(words)].join(', ')
}

export function whyLines(why: WhyTrack, speech: Speech): WhyLines {
  const { t } = speech
  const known = new Map([...why.members, ...why.others].map((one) => [one.entity, one]))
  const nameOf = (id: string) => {
    const one = known.get(id)
    return one ? `${sourceWord(one.source, t)} ${one.name}` : t('why.unseen')
  }
  const tracks = new Map(why.others.map(({ entity, track }) => [entity, track]))
  return {
    sure: why.members.some(({ sensors }) => !sensors.length) ? t('why.reported') : t('why.sure', { share: percent(why.exists) }),
    conflicts: why.conflicts.map(([one, other]) => ({ text: t('why.conflict', { one: nameOf(one), other: nameOf(other) }), track: tracks.get(other) ?? null })),
    members: why.members.map((member) => memberLine(member, t)),
    pairs: why.because.map((pair) => pairText(pair, why, nameOf, speech)),
    said: why.said.map(({ one, other, word, by, at_ms }) => ({
      text: t(word === 'same' ? 'why.saidSame' : 'why.saidApart', { one: nameOf(one), other: nameOf(other), by: speech.nameOf(by), when: speech.when(at_ms) }),
      track: tracks.get(other) ?? null,
    })),
  }
}

function memberLine({ entity, source, name, keys, sigma_m, exists, seen_at_ms, sensors }: TrackMember, t: Speech['t']): MemberLine {
  // What reports itself is there; how sure the radars are is theirs to say, beside whoever else sees it.
  const sure = sensors.length ? [t('why.exists', { share: percent(exists) })] : []
  const about = [...keys.map(keyText), ...sure, t('why.good', { m: metres(sigma_m) })].join(' · ')
  return { id: entity, source: sourceWord(source, t), name, about, seen_at_ms, radars: sensors.map((by) => radarText(by, t)) }
}

function radarName(sensor: string, t: Speech['t']): string {
  return t('why.radar', { name: sensor.startsWith(RADAR) ? sensor.slice(RADAR.length) : sensor })
}

function radarText({ sensor, plots, pd, bias: [range_m, azimuth_rad] }: PlottedBy, t: Speech['t']): string {
  const azimuth = `${signed(decimal((azimuth_rad * 180) / Math.PI, 2))}°`
  return t('why.plotted', { radar: radarName(sensor, t), n: plots, pd: percent(pd), range: signed(metres(range_m)), azimuth }, plots)
}

/** Whole percent; what is not quite certain is never called so. */
function percent(share: number): string {
  const whole = Math.round(share * 100)
  return `${whole === 100 && share < 1 ? 99 : whole} %`
}

function pairText({ one, other, reason, distance, threshold, epochs }: Because, why: WhyTrack, nameOf: (id: string) => string, { t, ...speech }: Speech): string {
  const words = { one: nameOf(one), other: nameOf(other) }
  if (reason === 'window') return t('why.window', { ...words, distance: decimal(distance, 1), threshold: decimal(threshold, 1), n: epochs }, epochs)
  if (reason === 'operator') {
    const said = why.said.find((word) => word.word === 'same' && [word.one, word.other].includes(one) && [word.one, word.other].includes(other))
    return said ? t('why.saidSame', { ...words, by: speech.nameOf(said.by), when: speech.when(said.at_ms) }) : t('why.operator', words)
  }
  const keys = new Set(why.members.find(({ entity }) => entity === other)?.keys)
  const key = why.members.find(({ entity }) => entity === one)?.keys.find((each) => keys.has(each))
  return key ? t('why.key', { ...words, key: keyText(key) }) : t('why.sameKey', words)
}

/** Is every pair that holds this track together a person's word? */
export function isLocked(why: WhyTrack): boolean {
  const held = new Set(why.said.flatMap(({ one, other, word }) => (word === 'same' ? [one, other] : [])))
  return why.members.length > 1 && why.members.every(({ entity }) => held.has(entity))
}
