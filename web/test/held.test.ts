/** A list that stands still under the pointer. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'
import { HELD_MS, useHeld } from '../src/ui/held'

interface Row {
  id: string
  says: string
}
const row = (id: string, says = id): Row => ({ id, says })

describe('a list under the pointer', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function list(...ids: string[]) {
    const now = ref(ids.map((id) => row(id)))
    const held = effectScope().run(() => useHeld(() => now.value, ({ id }) => id))!
    const shown = () => held.rows.value.map(({ row: one, gone, late }) => `${one.says}${gone ? ' gone' : ''}${late ? ' late' : ''}`)
    shown()
    return { now, held, shown }
  }

  it('puts what is new last, and says anew what is known', () => {
    const { now, held, shown } = list('a', 'b')
    held.on.pointermove()
    now.value = [row('new'), row('b', 'b 2'), row('a')]
    expect(shown()).toEqual(['a', 'b 2', 'new late'])
    now.value = [row('newer'), row('new'), row('a'), row('b')]
    expect(shown()).toEqual(['a', 'b', 'new late', 'newer late'])
  })

  it('leaves the place of what is gone empty, until it comes back', () => {
    const { now, held, shown } = list('a', 'b')
    held.on.pointermove()
    now.value = [row('b')]
    expect(shown()).toEqual(['a gone', 'b'])
    now.value = [row('b'), row('a')]
    expect(shown()).toEqual(['a', 'b'])
  })

  it('is let go by the pointer, by a press, and by a pointer that lies still', () => {
    const { now, held, shown } = list('a')
    held.on.pointermove()
    now.value = [row('new'), row('a')]
    expect(shown()).toEqual(['a', 'new late'])
    vi.advanceTimersByTime(HELD_MS - 1)
    expect(shown()).toEqual(['a', 'new late'])
    vi.advanceTimersByTime(1)
    expect(shown()).toEqual(['new', 'a'])
    held.on.pointerdown()
    held.on.pointerleave()
    now.value = [row('a')]
    expect(shown()).toEqual(['a'])
  })

  it('follows the order of the day where nobody points', () => {
    const { now, shown } = list('a', 'b')
    now.value = [row('new'), row('b')]
    expect(shown()).toEqual(['new', 'b'])
  })
})
