import { describe, expect, it } from 'vitest'
import type { WhyTrack } from '../src/api.generated'
import { catalogueOf, pageI18n } from '../src/i18n'
import { ledTo, stoodFor, withoutMembers } from '../src/draw/members'
import { aliasText, isLocked, keyText, sourcesText, sourceWord, whyLines } from '../src/panels/why/why'
import { worthOf } from '../src/store/search'
import { TrackStore } from '../src/store/tracks'
import type { TrackMeta } from '../src/api/types'

const { t } = pageI18n().global
const speech = { t: (key: string, words?: Record<string, unknown>, count = 1) => t(key, words ?? {}, count), nameOf: (id: string) => id.replace('user:', ''), when: () => '281405Z' }
const ais = { entity: 'a', source: 'mmsi', name: 'KARINA', keys: ['mmsi:451000012'], seen_at_ms: 0, sigma_m: 8.2, exists: 1, sensors: [] }
const plotted = { entity: 'r', source: 'radar', name: 'T12', keys: [], seen_at_ms: 0, sigma_m: 30, exists: 0.974, sensors: [{ sensor: 'asterix:25/1', plots: 45, pd: 0.93, bias: [118.4, 0.0052] as [number, number] }] }
const pair = { one: 'a', other: 'r', reason: 'window', distance: 0.84, threshold: 2.31, epochs: 30, votes: 10 }

function whyOf(change: Partial<WhyTrack> = {}): WhyTrack {
  return { id: 'x', number: 12, name: 'KARINA', exists: 1, sentences: [], members: [ais, plotted], because: [pair], conflicts: [], said: [], others: [], ...change }
}
const said = (word: 'same' | 'apart', other: string) => ({ one: 'a', other, word, by: 'user:ANNA', at_ms: 1 })

describe('why a track is one', () => {
  it('names sources and identities as people call them', () => {
    expect(sourceWord('mmsi', speech.t)).toBe('AIS')
    expect(sourceWord('cot', speech.t)).toBe('TAK device')
    expect(sourceWord('sonar', speech.t)).toBe('sonar')
    expect([aliasText('fused', 'T70', speech.t), aliasText('mmsi', '451000012', speech.t), aliasText('cot', 'ANDROID-1', speech.t)]).toEqual(['Fused track T70', 'MMSI 451000012', 'TAK ANDROID-1'])
    expect([keyText('mmsi:451000012'), keyText('icao24:3c6444'), keyText('cot:ANDROID-1:2')]).toEqual(['MMSI 451000012', 'ICAO 24 3C6444', 'UID ANDROID-1:2'])
    expect(sourcesText(whyOf(), speech.t)).toBe('AIS, Radar 25/1')
  })

  it('says how good each place is, and what each radar does', () => {
    const [one, other] = whyLines(whyOf(), speech).members
    expect([one.source, one.name, one.about, one.radars]).toEqual(['AIS', 'KARINA', 'MMSI 451000012 · place good to 8 m', []])
    expect(other.radars).toEqual(['Radar 25/1: 45 plots, sees 93 % of what is there. Taken off: 118 m and 0.30°.'])
  })

  it('says how sure radars are of it, also where somebody reports himself', () => {
    expect(whyLines(whyOf(), speech).members.map(({ about }) => about)).toEqual(['MMSI 451000012 · place good to 8 m', 'a target with 97 % · place good to 30 m'])
  })

  it('writes what is taken off below zero with a minus sign, and nothing as less than nothing', () => {
    const biased = (range_m: number, azimuth_rad: number) => ({ ...plotted, sensors: [{ ...plotted.sensors[0], bias: [range_m, azimuth_rad] as [number, number] }] })
    const [below, none] = [biased(-1118.4, -0.0052), biased(-0.2, -0.00002)].map((radar) => whyLines(whyOf({ members: [ais, radar] }), speech).members[1].radars[0])
    expect(below).toContain('Taken off: \u22121\u202f118 m and \u22120.30°.')
    expect(none).toContain('Taken off: 0 m and 0.00°.')
  })

  it('is sure of whom reports itself, and never quite of what radar alone sees', () => {
    expect(whyLines(whyOf(), speech).sure).toContain('reports itself')
    expect(whyLines(whyOf({ members: [plotted], exists: 0.998 }), speech).sure).toContain('99 %')
  })

  it('says of each pair why, with its figures', () => {
    expect(whyLines(whyOf(), speech).pairs).toEqual(['AIS KARINA and Radar T12 lie as close together as their errors allow: 0.8 of at most 2.3, over 30 looks.'])
    const keyed = whyOf({ members: [ais, { ...plotted, keys: ['mmsi:451000012'] }], because: [{ ...pair, reason: 'key' }] })
    expect(whyLines(keyed, speech).pairs).toEqual(['AIS KARINA and Radar T12 both bear MMSI 451000012.'])
    expect(whyLines(whyOf({ because: [{ ...pair, reason: 'key' }] }), speech).pairs).toEqual(['AIS KARINA and Radar T12 bear the same key.'])
  })

  it('names who has said so, and when', () => {
    const words = whyOf({ because: [{ ...pair, reason: 'operator' }], said: [said('same', 'r')] })
    expect(whyLines(words, speech).pairs).toEqual(['AIS KARINA and Radar T12 are one: ANNA said so, 281405Z.'])
    expect(isLocked(words)).toBe(true)
    expect(isLocked(whyOf())).toBe(false)
  })

  it('shows what is kept apart, and leads to it where it may be seen', () => {
    const others = [{ entity: 'p', source: 'cot', name: 'CREW 3', track: 'px' }]
    const lines = whyLines(whyOf({ said: [said('apart', 'p'), said('apart', 'hidden')], others, conflicts: [['a', 'p']] }), speech)
    expect(lines.said.map(({ track }) => track)).toEqual(['px', null])
    expect(lines.said[0].text).toBe('AIS KARINA is kept apart from TAK device CREW 3: ANNA said so, 281405Z.')
    expect(lines.said[1].text).toContain('a track that is not shown')
    expect(lines.conflicts[0]).toMatchObject({ track: 'px', text: expect.stringContaining('bear one identity') as string })
  })

  it('speaks the language of the page, with its decimal mark', async () => {
    const { global } = pageI18n()
    global.setLocaleMessage('ru', await catalogueOf('ru'))
    global.locale.value = 'ru'
    expect(whyLines(whyOf(), speech).pairs[0]).toContain('0,8 при допустимых 2,3')
    global.locale.value = 'en'
  })
})

describe('members of fused tracks', () => {
  const NOW_MS = 1_790_000_000_000
  const meta = (h: number, id: string, more: Partial<TrackMeta> = {}) => ({ h, id, name: id, sidc: '', type: '', source: 'fusion', observed_at_ms: NOW_MS, stale_at_ms: NOW_MS + 20_000, affiliation: 'unknown', category: 'track', ...more }) as TrackMeta
  const trackOf = (store: TrackStore, id: string, now_ms = NOW_MS) => {
    const h = store.trackOf(id, now_ms)
    return h === null ? null : store.meta[h]!.id
  }

  it('know the track that stands for them, as long as it is believed', () => {
    const store = new TrackStore()
    store.applyMetas([meta(0, 'ship'), meta(1, 'track', { members: ['ship', 'plot', 'track'] })])
    expect([trackOf(store, 'ship'), trackOf(store, 'plot'), trackOf(store, 'track')]).toEqual(['track', 'track', null])
    expect(trackOf(store, 'ship', NOW_MS + 120_000)).toBeNull()
  })

  const listed = (store: TrackStore, hits: number[], now_ms = NOW_MS) => {
    const stood = stoodFor(store, now_ms)
    return withoutMembers(hits, stood, ledTo(hits, stood)).map((h) => store.meta[h]!.id)
  }

  it('are not listed beside their track, but lead to it', () => {
    const store = new TrackStore()
    store.applyMetas([meta(0, 'ship'), meta(1, 'phone'), meta(2, 'track', { members: ['ship', 'phone', 'plot'] }), meta(3, 'other')])
    expect(listed(store, [0, 1, 2, 3])).toEqual(['track', 'other'])
    // Found by the names of two members alone: the track once, in the place of the first.
    expect(listed(store, [3, 1, 0])).toEqual(['other', 'track'])
    expect(ledTo([3, 1, 0], stoodFor(store, NOW_MS))).toEqual(new Map([[2, 1]]))
    expect(worthOf(store, NOW_MS, stoodFor(store, NOW_MS)).entities).toBe(2)
    // A track that is stale stands for nobody, one that was split for none but those it keeps.
    expect(listed(store, [0, 1, 2, 3], NOW_MS + 120_000)).toEqual(['ship', 'phone', 'track', 'other'])
    store.applyMetas([meta(2, 'track', { members: ['phone', 'plot'] })])
    expect(listed(store, [0, 1, 2, 3])).toEqual(['ship', 'track', 'other'])
  })

  it('are listed themselves while they are in need', () => {
    const store = new TrackStore()
    store.applyMetas([meta(0, 'phone', { emergency: '911 Alert' }), meta(1, 'track', { members: ['phone'] })])
    expect(listed(store, [0, 1])).toEqual(['phone', 'track'])
  })

  it('stand for themselves once they are split off, or the track is gone', () => {
    const store = new TrackStore()
    store.applyMetas([meta(0, 'ship'), meta(1, 'track', { members: ['ship', 'plot'] })])
    store.applyMetas([meta(1, 'track', { members: ['plot'] })])
    expect([trackOf(store, 'ship'), trackOf(store, 'plot')]).toEqual([null, 'track'])
    // Two tracks trade a member: the later word holds, whichever lets go first.
    store.applyMetas([meta(2, 'other', { members: ['plot', 'ship'] }), meta(1, 'track', { members: [] })])
    expect([trackOf(store, 'ship'), trackOf(store, 'plot')]).toEqual(['other', 'other'])
    store.remove(Uint32Array.of(2))
    expect([trackOf(store, 'ship'), store.hasFused()]).toEqual([null, false])
  })
})
