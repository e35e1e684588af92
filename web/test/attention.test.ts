import { beforeEach, describe, expect, it } from 'vitest'
import type { TrackMeta } from '../src/api/types'
import en from '../src/i18n/en.json'
import node from '../../src/aquila/core/texts/en.json'
import { alarmsOf, emergencyKey } from '../src/store/attention'
import { medevacShort, nineLines } from '../src/store/medevac'
import { TrackStore } from '../src/store/tracks'

const BASE = 1_795_000_000_000
const meta = (h: number, name: string, more: Partial<TrackMeta> = {}): TrackMeta => ({
  h, id: `id-${h}`, name, sidc: '13031000001211000000', type: 'a-f-G', source: 'listener:tcp',
  observed_at_ms: BASE, stale_at_ms: BASE + 300_000, affiliation: 'friend', category: 'unit', ...more,
})
const alert = (h: number, name: string, more: Partial<TrackMeta> = {}) =>
  meta(h, name, { category: 'alert', type: 'b-a-o-tbl', emergency: '911 Alert', ...more })

describe('alarms', () => {
  let store: TrackStore
  beforeEach(() => (store = new TrackStore()))

  it('are one for a caller and its alert, with the age of the alert', () => {
    store.applyMetas([
      meta(1, 'PATROL 1', { emergency: '911 Alert', observed_at_ms: BASE + 60_000 }),
      alert(2, 'PATROL 1-Alert', { caller: 'id-1' }),
      meta(3, 'PATROL 3'),
    ])
    expect(alarmsOf(store)).toEqual([
      { h: 1, name: 'PATROL 1', emergency: '911 Alert', medevac: false, raised_ms: BASE, ids: ['id-1', 'id-2'] },
    ])
  })

  it('name the caller when only its alert is known', () => {
    store.applyMetas([alert(2, 'PATROL 1-Alert', { caller: 'id-9' })])
    expect(alarmsOf(store)).toMatchObject([{ h: 2, name: 'PATROL 1', emergency: '911 Alert' }])
  })

  it('are several for several callers; emergencies first, the newest first', () => {
    store.applyMetas([
      meta(1, 'MEDEVAC 1', { category: 'alert', type: 'b-r-f-h-c', observed_at_ms: BASE + 9000 }),
      meta(2, 'A', { emergency: 'In Contact', observed_at_ms: BASE + 1000 }),
      meta(3, 'B', { emergency: '911 Alert', observed_at_ms: BASE + 2000 }),
    ])
    expect(alarmsOf(store).map(({ name, medevac }) => [name, medevac])).toEqual([['B', false], ['A', false], ['MEDEVAC 1', true]])
  })
})

describe('words of a beacon', () => {
  it('are in the catalogue, or stay as they came', () => {
    for (const what of ['911 Alert', 'Ring The Bell', 'In Contact', 'Troops In Contact', 'Geo-fence Breached', 'Custom']) {
      expect(node.act.emergency).toHaveProperty(emergencyKey(what)!.replace('act.emergency.', ''))
    }
    expect(emergencyKey('Rockfall')).toBeNull()
  })
})

describe('a MEDEVAC request', () => {
  const fields = {
    freq: '38.90', urgent: '1', priority: '2', routine: '0', litter: '1', ambulatory: '2', hoist: 'true', equipment_none: 'false',
    security: '1', hlz_marking: '3', nonus_military: '3', terrain_slope: 'true', terrain_slope_dir: 'N',
    medline_remarks: 'two walking', 'zMist1.z': 'A1', 'zMist1.m': 'fall', 'zMist2.z': 'A2', 'zMist2.m': 'fall',
  }

  it('fits on a card', () => {
    expect(medevacShort(fields)).toEqual([
      { word: 'urgent', count: 1 }, { word: 'priority', count: 2 }, { word: 'litter', count: 1 }, { word: 'ambulatory', count: 2 },
    ])
    expect(medevacShort({})).toEqual([])
  })

  it('is told line by line, and only the lines that say something', () => {
    expect(nineLines(fields).map(({ title }) => title)).toEqual([
      'frequency', 'precedence', 'equipment', 'patients', 'security', 'marking', 'nationality', 'terrain', 'note', 'mist', 'mist',
    ])
    expect(nineLines({ color: '-1' })).toEqual([])
  })

  it('uses words that every catalogue has', () => {
    const everything: Record<string, string> = { security: '0', hlz_marking: '0' }
    for (const word of Object.keys(en.medevac)) everything[word] = word.startsWith('terrain') || word === 'hoist' ? 'true' : '1'
    for (const { title, parts } of nineLines(everything)) {
      expect(en.medevac).toHaveProperty(title)
      for (const { word } of parts) if (word) expect(en.medevac).toHaveProperty(word)
    }
  })

  it('shows a number that it does not know as it came', () => {
    expect(nineLines({ security: '7' })).toEqual([{ title: 'security', parts: [{ text: '7' }] }])
  })
})

describe('the caller of an alert', () => {
  it('stands for it on the map once it has a place', () => {
    const store = new TrackStore()
    store.applyMetas([meta(1, 'PATROL 1'), alert(2, 'PATROL 1-Alert', { caller: 'id-1' })])
    expect(store.callerOf(2)).toBeNull()
    store.placed[1] = 1
    expect(store.callerOf(2)).toBe(1)
    expect(store.callerOf(1)).toBeNull()
  })
})
