import { describe, expect, it } from 'vitest'
import { pressed, keysText, type KeyPress } from '../src/shell/keys'
import { clamped, readLayout } from '../src/shell/layout'
import { firstTheme } from '../src/shell/theme'
import { UNDO_LIMIT, UndoStack } from '../src/shell/undo'
import { readFilters } from '../src/store/filters'
import { LinkRates } from '../src/store/linkRates'
import { withNotice, type Notice } from '../src/store/notices'
import { orbatOf } from '../src/store/orbat'
import { hourTicks } from '../src/time/strip'
import type { LinkState, TrackMeta } from '../src/api/types'

function press(key: string, code = '', held: Partial<KeyPress> = {}): KeyPress {
  return { key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held }
}

describe('notices', () => {
  const bad = (id: number, text: string): Notice => ({ id, tone: 'bad', text })
  it('say the same words once, at the front', () => {
    const said = [bad(1, 'no room'), bad(2, 'no reader'), bad(3, 'no room')].reduce(withNotice, [] as Notice[])
    expect(said.map(({ id }) => id)).toEqual([2, 3])
  })
  it('keep the newest four', () => {
    const said = [1, 2, 3, 4, 5].map((id) => bad(id, `fault ${id}`)).reduce(withNotice, [] as Notice[])
    expect(said.map(({ id }) => id)).toEqual([2, 3, 4, 5])
  })
})

describe('keys', () => {
  it('are letters by name and by place, so that Cyrillic layouts work', () => {
    expect(pressed('l', press('l', 'KeyL'))).toBe(true)
    expect(pressed('l', press('д', 'KeyL'))).toBe(true)
    // On a Latin layout the letter counts, not the place.
    expect(pressed('q', press('a', 'KeyQ'))).toBe(false)
    expect(pressed('2', press('2', 'Digit2'))).toBe(true)
  })

  it('are signs by what they are, with Shift or without', () => {
    expect(pressed('?', press('?', 'Slash', { shiftKey: true }))).toBe(true)
    expect(pressed('/', press('/', 'Digit7', { shiftKey: true }))).toBe(true)
    expect(pressed('/', press('?', 'Slash', { shiftKey: true }))).toBe(false)
    expect(pressed('+', press('+', 'Equal', { shiftKey: true }))).toBe(true)
    expect([keysText('+'), keysText('ctrl++')]).toEqual(['+', 'Ctrl +'])
  })

  it('need exactly the keys that are held', () => {
    expect(pressed('ctrl+k', press('k', 'KeyK', { ctrlKey: true }))).toBe(true)
    expect(pressed('ctrl+k', press('k', 'KeyK', { metaKey: true }))).toBe(true)
    expect(pressed('ctrl+k', press('k', 'KeyK'))).toBe(false)
    expect(pressed('k', press('k', 'KeyK', { ctrlKey: true }))).toBe(false)
    expect(pressed('ctrl+z', press('Z', 'KeyZ', { ctrlKey: true, shiftKey: true }))).toBe(false)
    expect(pressed('ctrl+shift+z', press('Z', 'KeyZ', { ctrlKey: true, shiftKey: true }))).toBe(true)
    expect(keysText('ctrl+shift+z')).toBe('Ctrl Shift Z')
  })
})

describe('undo', () => {
  function step(log: string[], name: string, works = true) {
    return { title: name, undo: async () => (log.push(`-${name}`), works), redo: async () => (log.push(`+${name}`), works) }
  }

  it('takes back the last first, and does again in order', async () => {
    const [stack, log] = [new UndoStack(), [] as string[]]
    stack.did(step(log, 'a'))
    stack.did(step(log, 'b'))
    await stack.undo()
    await stack.undo()
    expect(await stack.undo()).toBeNull()
    await stack.redo()
    expect(log).toEqual(['-b', '-a', '+a'])
    expect([stack.next_undo.value?.title, stack.next_redo.value?.title]).toEqual(['a', 'b'])
    stack.did(step(log, 'c'))
    expect(stack.next_redo.value).toBeNull()
  })

  it('keeps a step that the node refused to take back, and only so many', async () => {
    const [stack, log] = [new UndoStack(), [] as string[]]
    stack.did(step(log, 'a', false))
    expect(await stack.undo()).toBeNull()
    expect(stack.next_undo.value?.title).toBe('a')
    for (let n = 0; n < UNDO_LIMIT + 5; n++) stack.did(step(log, `n${n}`))
    let count = 0
    while (await stack.undo()) count++
    expect(count).toBe(UNDO_LIMIT)
  })
})

describe('what is remembered', () => {
  it('is the layout, within bounds, and nothing that is broken', () => {
    expect(readLayout('{"left_px": 400, "right_open": false}', 1600)).toMatchObject({ left_px: 400, right_open: false, left_open: true })
    expect(readLayout('{"left_px": 99999, "below_px": "x"}', 1600)).toMatchObject({ left_px: 720, below_px: readLayout(null, 1600).below_px })
    expect(readLayout('not json', 1600)).toEqual(readLayout(null, 1600))
    expect(readLayout('null', 1600)).toEqual(readLayout(null, 1600))
    expect(clamped('right', 0)).toBe(280)
  })

  it('is the theme, else what the machine asks for', () => {
    expect([firstTheme('night', true), firstTheme('pink', true), firstTheme(null, false)]).toEqual(['night', 'day', 'dark'])
  })

  it('are filters, and nothing that is none', () => {
    expect(readFilters('[{"name":"a","filter":{}},{"name":1},null]')).toEqual([{ name: 'a', filter: {} }])
    expect([readFilters('{'), readFilters(null), readFilters('{}')]).toEqual([[], [], []])
  })
})

describe('link rates', () => {
  const link = (in_count: number, out_count: number) => ({ id: '1', in_count, out_count }) as LinkState

  it('come from two readings, and start anew when a counter fell', () => {
    const rates = new LinkRates()
    expect(rates.read([link(10, 0)], 0).size).toBe(0)
    expect(rates.read([link(20, 50)], 5000).get('1')).toEqual({ in_per_s: 2, out_per_s: 10 })
    expect(rates.read([link(20, 50)], 5500).get('1')).toEqual({ in_per_s: 2, out_per_s: 10 })
    expect(rates.read([link(1, 0)], 10_000).size).toBe(0)
    expect(rates.read([link(2, 0)], 12_000).get('1')?.in_per_s).toBe(0.5)
  })
})

describe('the own side', () => {
  const unit = (id: string, name: string, sidc: string, more: Partial<TrackMeta> = {}) =>
    ({ h: 0, id, name, sidc, type: 'a-f-G', category: 'unit', affiliation: 'friend', ...more }) as TrackMeta

  it('is teams, headquarters first, then by echelon and name', () => {
    const metas = [
      unit('1', 'PATROL 10', '10031000121211000000'),
      unit('2', 'PATROL 2', '10031000121211000000'),
      unit('3', 'BN CP', '10031002161211000000'),
      unit('4', 'RED', '10061000121211000000', { affiliation: 'hostile' }),
      unit('5', 'LONE', '10031000121211000000'),
      undefined,
    ]
    const team = (id: string) => ({ 1: 'Green', 2: 'Green', 3: 'Green' })[id]
    const tree = orbatOf(metas, team)
    expect(tree.map((group) => group.name)).toEqual(['Green', ''])
    expect(tree[0].units.map((one) => one.name)).toEqual(['BN CP', 'PATROL 2', 'PATROL 10'])
  })
})

describe('the time strip', () => {
  it('marks round hours', () => {
    const from = Date.UTC(2026, 10, 23, 12, 7)
    const ticks = hourTicks(from, from + 6 * 3_600_000)
    expect(ticks.length).toBeGreaterThan(4)
    expect(ticks.every((at) => at % 3_600_000 === 0)).toBe(true)
  })
})
