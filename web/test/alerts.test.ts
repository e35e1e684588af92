import { describe, expect, it } from 'vitest'
import type { AlertRow, InForceRow, UnitRow, WatchRow } from '../src/api.generated'
import type { TrackMeta } from '../src/api/types'
import { readKept } from '../src/draw/kept'
import { membersOf } from '../src/draw/members'
import { namesPlaced, phasesOf } from '../src/panels/phases'
import { cornersOf } from '../src/draw/useDrawnPlace'
import { nextToSettle } from '../src/staff/alerts/settle'
import { areasOf, blankDraft, boundsOf, draftOf, LEVEL_COLOURS, missing, ordered, watchOf } from '../src/staff/alerts/watch'
import { fromAbove, fromTeams } from '../src/store/nations'
import { NO_NATION, TrackIndex } from '../src/store/search'
import { TrackStore } from '../src/store/tracks'

const NOW_MS = 1_790_000_000_000
const alert = (row: Partial<AlertRow>) => ({ id: 'a', watch: 'w', state: 'raised', level: 'caution', since_ms: 0, over_at_ms: null, ...row }) as AlertRow
const CORNERS: [number, number][] = [[77, 42], [77.2, 42], [77.2, 42.2]]
function area(id: string, more: object = {}): WatchRow {
  const watch = { ...watchOf({ ...blankDraft('area'), name: id, corners: CORNERS }), ...more }
  return { id, watch, state: 'active', by: '', actions: [], heads: [], label: {} } as unknown as WatchRow
}

describe('alerts', () => {
  it('stand in the order of who must act first', () => {
    const rows = [
      alert({ id: 'seen', state: 'acknowledged', level: 'warning', since_ms: 9 }),
      alert({ id: 'old', since_ms: 1 }),
      alert({ id: 'new', since_ms: 2 }),
      alert({ id: 'grave', level: 'warning' }),
    ]
    expect(ordered(rows).map((row) => row.id)).toEqual(['grave', 'new', 'old', 'seen'])
  })

  it('are closed after they were acknowledged, before those that nobody has seen', () => {
    const rows = ordered([alert({ id: 'seen', state: 'acknowledged', actions: ['close'] }), alert({ id: 'new', actions: ['acknowledge', 'close'] })])
    expect(nextToSettle(rows, 'acknowledge')?.id).toBe('new')
    expect(nextToSettle(rows, 'close')?.id).toBe('seen')
  })

  it('light the area of their watch while their reason stands, in the colour of the gravest', () => {
    const lit = (...alerts: AlertRow[]) => areasOf([area('w')], alerts)[0].properties!.stroke as string
    const calm = lit()
    expect(lit(alert({ level: 'advisory' }), alert({ level: 'warning', state: 'acknowledged' }))).toBe(LEVEL_COLOURS.warning)
    expect(lit(alert({ over_at_ms: 5 }))).toBe(calm)
    expect(lit(alert({ state: 'closed' }))).toBe(calm)
    expect(lit(alert({ watch: 'other' }))).toBe(calm)
  })

  it('say the heights and times of a watch, and nothing of those that were not set', () => {
    const at_ms = Date.UTC(2026, 10, 25, 14, 10)
    expect(boundsOf(area('w').watch)).toEqual([])
    expect(boundsOf(area('w', { min_hae_m: 500, max_hae_m: 3000, until_ms: at_ms }).watch)).toEqual(['500 m – 3\u202f000 m HAE', '… – 251410ZNOV26'])
    expect(boundsOf(area('w', { min_hae_m: 0, from_ms: at_ms }).watch)).toEqual(['0 m – … HAE', '251410ZNOV26 – …'])
  })

  it('keep an area across 180 degrees whole', () => {
    const [shape] = areasOf([area('w', { corners: [[179, 1], [-179, 1], [-179, 2], [179, 2]] })], [])
    expect(shape.geometry).toMatchObject({ coordinates: [[[179, 1], [181, 1], [181, 2], [179, 2], [179, 1]]] })
  })
})

describe('a watch in its form', () => {
  it('comes back as it was', () => {
    const row = area('w', { affiliations: ['hostile'], entities: ['e1'], min_hae_m: 100, from_ms: 1_790_000_040_000, triggers: ['leave', 'dwell'], dwell_min: 3 })
    const draft = draftOf(row, () => 'FOX')
    expect(draft.who).toEqual([{ id: 'e1', name: 'FOX' }])
    expect(watchOf(draft)).toEqual(row.watch)
  })

  it('says what is missing, one thing after the other', () => {
    const draft = blankDraft('area')
    const lacks = (more: object = {}) => missing({ ...draft, ...more })
    expect(lacks()).toBe('name')
    draft.name = 'X'
    expect(lacks()).toBe('area')
    draft.corners = CORNERS
    draft.triggers = []
    expect(lacks()).toBe('trigger')
    draft.triggers = ['enter']
    expect(lacks()).toBeNull()
    expect(lacks({ triggers: ['dwell'], dwell_min: 0 })).toBe('dwell')
    expect(lacks({ triggers: ['dwell'], dwell_min: '' })).toBe('dwell')
    expect(lacks({ triggers: ['dwell'], dwell_min: '1' })).toBeNull()
    expect(lacks({ from_ms: NOW_MS, until_ms: NOW_MS })).toBe('order')
    expect(lacks({ kind: 'silence' })).toBe('who')
    expect(lacks({ kind: 'silence', who: [{ id: 'e', name: 'E' }], every_min: '0' })).toBe('every')
  })

  it('takes circles as rings, with longitudes that the node knows', () => {
    const ring = cornersOf({ shape: 'circle', points: [[0, 179.99]], radius_m: 5000 })
    expect(ring).toHaveLength(72)
    expect(ring.every(([lon]) => Math.abs(lon) <= 180 && Math.abs(lon) > 179.9)).toBe(true)
  })
})

describe('phases', () => {
  const order = (id: string, phases: object[], is_in_force = true) => ({ id, is_in_force, order: { number: id, title: '', phases } }) as unknown as InForceRow

  it('last until they end, or until the next of their order begins', () => {
    const found = phasesOf([order('1', [{ id: 'b', name: 'B', start_ms: 20, end_ms: null }, { id: 'a', name: 'A', start_ms: 10, end_ms: null }, { id: 'c', name: 'C', start_ms: null, end_ms: null }]), order('2', [{ id: 'x', name: 'X', start_ms: 1, end_ms: 5 }], false)])
    expect(found.map(({ name, from_ms, until_ms }) => [name, from_ms, until_ms])).toEqual([['A', 10, 20], ['B', 20, Infinity]])
  })
})

describe('names of phases', () => {
  const placed = (...bars: [left: number, wide: number][]) => namesPlaced(bars.map(([left, wide]) => ({ name: 'MOVE', left, wide })), () => 50).map(({ place }) => place)

  it('are written whole: in the bar, before it where that is free, or not at all', () => {
    expect(placed([0, 50], [50, 49], [200, 10])).toEqual(['in', null, 'before'])
    expect(placed([49, 10], [50, 10])).toEqual([null, null])
  })
})

describe('what is kept of layers', () => {
  it('comes back, and broken things count as nothing', () => {
    expect(readKept('{"hidden":["OPS",3],"opacity":[["OPS",0.5],["X"]],"base_hidden":["water","nonsense"]}')).toEqual({ hidden: ['OPS'], opacity: [['OPS', 0.5]], base_hidden: ['water'] })
    for (const broken of [null, '{', '7', 'null', '[]']) expect(readKept(broken)).toEqual({ hidden: [], opacity: [], base_hidden: [] })
  })
})

describe('fused tracks and nations', () => {
  const store = new TrackStore()
  const meta = (h: number, id: string, more: object = {}) =>
    ({ h, id, name: id, sidc: '', type: 'a-f-G', source: `device:${id}`, category: 'unit', affiliation: 'friend', observed_at_ms: NOW_MS, stale_at_ms: NOW_MS + 60_000, ...more }) as TrackMeta
  store.applyMetas([meta(0, 'ship'), meta(1, 'plot'), meta(2, 'track', { members: ['ship', 'plot'] })])

  it('stand for their members while they are believed', () => {
    expect([...membersOf(store, NOW_MS)].sort()).toEqual(['plot', 'ship'])
    expect(membersOf(store, NOW_MS + 61_000).size).toBe(0)
  })

  it('are narrowed to a nation by whose source it is', () => {
    const index = new TrackIndex(store)
    index.nations = new Map([['device:ship', 'ITA'], ['device:gone', 'FRA']])
    expect(index.nationsSeen()).toEqual(['ITA', NO_NATION])
    expect(index.find({ nation: NO_NATION }, NOW_MS)).toHaveLength(2)
    expect(index.find({ nation: 'ITA' }, NOW_MS)).toEqual([0])
    expect(index.find({ nation: 'FRA' }, NOW_MS)).toEqual([])
    // The order of battle knows better whose unit somebody's link brings.
    index.called = new Map([['ship', 'KAZ']])
    expect(index.nationsSeen()).toEqual(['KAZ', NO_NATION])
    expect(index.find({ nation: 'ITA' }, NOW_MS)).toEqual([])
    index.derived = new Map([['ship', 'FRA'], ['plot', 'FRA']])
    expect(index.find({ nation: 'FRA' }, NOW_MS)).toEqual([1])
  })

  it('have the nation of the unit above or of the command post of their team where they have none', () => {
    const unit = (nation: string | null, ...callsigns: string[]) => ({ nation, callsigns }) as UnitRow['unit']
    const rows = [{ depth: 0, unit: unit('ITA') }, { depth: 1, unit: unit('FRA', 'BLEU PC') }, { depth: 2, unit: unit(null, 'GENIE') }, { depth: 1, unit: unit(null, 'TRAIN') }]
    expect([...fromAbove(rows)]).toEqual([['GENIE', 'FRA'], ['TRAIN', 'ITA']])
    const who = (name: string, team: string | null, role: string | null = null) => ({ name, team, role })
    const called = new Map([['BLEU PC', 'FRA'], ['A', 'ITA'], ['B', 'KAZ']])
    const found = fromTeams([who('CHOUCAS', 'Blue'), who('BLEU PC', 'Blue', 'HQ'), who('A', 'Red', 'HQ'), who('B', 'Red', 'HQ'), who('C', 'Red'), who('D', null)], called)
    expect(found.get('CHOUCAS')).toBe('FRA')
    expect(['C', 'D'].map((name) => found.get(name))).toEqual([undefined, undefined])
  })
})
