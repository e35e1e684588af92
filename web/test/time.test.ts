import { describe, expect, it } from 'vitest'
import { ageClock, ageRound, ageState, AGE_OPACITY, freshFor, isStill, longestAge } from '../src/time/age'
import { ServerClock } from '../src/time/clock'
import { dtg, dtgSeconds, dtgShort, dtgTime, pastTime } from '../src/time/dtg'
import { WakeWatch } from '../src/time/wake'

const NOW = Date.UTC(2026, 10, 23, 14, 32, 5)

describe('date-time groups', () => {
  it('are Zulu and padded', () => {
    expect(dtg(NOW)).toBe('231432ZNOV26')
    expect(dtg(Date.UTC(2027, 0, 1, 0, 5))).toBe('010005ZJAN27')
    expect(dtgSeconds(NOW)).toBe('05')
  })

  it('name the day only when it is not today', () => {
    expect(dtgShort(NOW - 60_000, NOW)).toBe('1431Z')
    expect(dtgShort(NOW - 86_400_000, NOW)).toBe('22 1432Z')
  })

  it('are read with or without blanks, and what is left out is of now', () => {
    const at = Date.UTC(2026, 10, 25, 14, 10)
    for (const text of ['251410ZNOV26', ' 25 1410Z nov 2026 ', '25 1410Z', '251410', '2026-11-25T14:10Z', '2026-11-25T14:10']) expect(dtgTime(text, NOW), text).toBe(at)
    expect(dtgTime('1410', NOW)).toBe(Date.UTC(2026, 10, 23, 14, 10))
    expect(dtgTime('010005ZJAN27', NOW)).toBe(Date.UTC(2027, 0, 1, 0, 5))
    for (const text of ['', 'soon', '251460ZNOV26', '310900ZNOV26', '251410ZFOO26', '2026-99-99', '11/25/2026']) expect(dtgTime(text, NOW), text).toBeNull()
  })

  it.each([
    // What is left out is of the day that is shown, unless that has not been yet.
    ['1405', '2026-11-25T14:10Z', '2026-11-25T14:05Z'],
    ['14:05:30', '2026-11-25T14:10Z', '2026-11-25T14:05:30Z'],
    ['1410Z', '2026-11-28T00:10Z', '2026-11-27T14:10Z'],
    ['24 1405Z', '2026-11-25T14:10Z', '2026-11-24T14:05Z'],
    ['28 1410Z', '2026-12-01T00:10Z', '2026-11-28T14:10Z'],
    ['311410Z', '2027-03-01T00:10Z', '2027-01-31T14:10Z'],
    ['281410ZNOV26', '2026-12-01T00:10Z', '2026-11-28T14:10Z'],
    ['281410ZDEC', '2027-01-01T00:10Z', '2026-12-28T14:10Z'],
    // Said whole, it is what was said, also ahead of now.
    ['251410ZDEC26', '2026-11-25T14:10Z', '2026-12-25T14:10Z'],
    ['2026-11-25T14:05Z', '2026-11-25T14:10Z', '2026-11-25T14:05Z'],
  ])('%s of the past, at %s, is %s', (text, now, at) => expect(pastTime(text, Date.parse(now), Date.parse(now))).toBe(Date.parse(at)))

  it.each(['', '2561', '32 1405Z', 'noon', '14:05:61'])('%j is no time of the past', (text) => expect(pastTime(text, NOW, NOW)).toBeNull())

  it('say that a time is unknown', () => {
    expect([dtg(NaN), dtgShort(NaN, NOW)]).toEqual(['–', '–'])
  })
})

describe('age', () => {
  it.each([
    [0, 300_000, false, 'fresh'],
    [120_000, 300_000, false, 'fresh'],
    [120_001, 300_000, false, 'ageing'],
    [300_001, 300_000, false, 'stale'],
    [60_001, 60_000, false, 'stale'],
    [9_000_000, 0, false, 'ageing'],
    [9_000_000, 86_400_000, true, 'fresh'],
    [-5000, 300_000, false, 'fresh'],
  ] as const)('of %d ms, valid %d ms, still %s is %s', (age_ms, valid_ms, still, state) => {
    expect(ageState(NOW - age_ms, valid_ms, still, NOW)).toBe(state)
    expect(age_ms <= freshFor(valid_ms, still)).toBe(state === 'fresh')
  })

  it('of a report whose time nobody knows is stale', () => {
    expect([ageState(NaN, 1, false, NOW), ageState(0, 1, true, NOW)]).toEqual(['stale', 'stale'])
  })

  it('shows as opacity: 100, 70 and 40 percent', () => {
    expect(AGE_OPACITY).toEqual({ fresh: 1, ageing: 0.7, stale: 0.4 })
    expect([isStill('marker'), isStill('unit')]).toEqual([true, false])
  })

  it('reads as a short clock', () => {
    expect([-500, 42_000, 70_000, 240_000, 599_999, 725_000, 10_800_000, 12_000_000, 190_000_000, NaN].map(ageClock)).toEqual(['0 s', '42 s', '1 min 10 s', '4 min', '9 min 59 s', '12 min', '3 h', '3 h 20 min', '2 d 4 h', '–'])
    expect([30_000, 260_000, 9_000_000, 300_000_000].map(ageRound)).toEqual(['0 min', '4 min', '2 h', '3 d'])
    const minutes = Array.from({ length: 4 * 24 * 60 }, (_, n) => ageClock(n * 60_000 + 59_000).length)
    expect(Math.max(...minutes)).toBe(longestAge().length)
  })
})

describe("the node's clock", () => {
  it('follows the node, not the wall, and never runs behind a frame', () => {
    let monotonic = 1000
    const clock = new ServerClock(() => monotonic, 5)
    clock.set(NOW)
    monotonic += 250
    expect(clock.now_ms()).toBe(NOW + 250)
    clock.atLeast(NOW)
    expect(clock.now_ms()).toBe(NOW + 250)
    clock.atLeast(NOW + 60_000)
    expect(clock.now_ms()).toBe(NOW + 60_000)
  })
})

describe('a sleep', () => {
  it('is the time that only the wall clock counted', () => {
    const watch = new WakeWatch(1_000_000, 5000)
    expect(watch.slept_ms(1_001_000, 6000)).toBe(0)
    expect(watch.slept_ms(1_602_000, 7000)).toBe(600_000)
    expect(watch.slept_ms(1_603_000, 8000)).toBe(0)
    // Set back by hand: nobody slept, and the next look starts from there.
    expect(watch.slept_ms(904_000, 9000)).toBe(0)
    expect(watch.slept_ms(905_000, 10_000)).toBe(0)
  })
})
