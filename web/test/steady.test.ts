/** Lists that are drawn anew only when what they say differs. */
import { describe, expect, it } from 'vitest'
import { ref, watchEffect } from 'vue'
import { settled, steadyRows } from '../src/ui/steady'

describe('rows that are worked out on every beat', () => {
  const row = (name: string, clock: string) => ({ name, clock })

  it('are the same list while all of them say the same', () => {
    const before = [row('FOX', '2 min'), row('OWL', '3 min')]
    expect(settled(before, [row('FOX', '2 min'), row('OWL', '3 min')])).toBe(before)
    expect(settled(undefined, before)).toBe(before)
  })
  it('keep the object of a row that says the same beside one that does not', () => {
    const before = [row('FOX', '2 min'), row('OWL', '3 min')]
    const now = settled(before, [row('FOX', '2 min'), row('OWL', '4 min')])
    expect(now).toEqual([row('FOX', '2 min'), row('OWL', '4 min')])
    expect(now[0]).toBe(before[0])
    expect(now[1]).not.toBe(before[1])
  })
  it('notice a row that came, one that went, and a field that was not there', () => {
    const before: { name: string; clock?: string }[] = [{ name: 'FOX' }]
    expect(settled(before, [{ name: 'FOX' }, { name: 'OWL' }])).toHaveLength(2)
    expect(settled(before, [])).toEqual([])
    expect(settled(before, [{ name: 'FOX', clock: '1 s' }])).toEqual([{ name: 'FOX', clock: '1 s' }])
  })
  it('tell who draws them only of a change', () => {
    const second = ref(0)
    const rows = steadyRows(() => [row('FOX', `${Math.floor(second.value / 60)} min`)])
    const drawn: string[] = []
    watchEffect(() => drawn.push(rows.value[0].clock), { flush: 'sync' })
    for (; second.value < 130; ) second.value++
    expect(drawn).toEqual(['0 min', '1 min', '2 min'])
  })
})
