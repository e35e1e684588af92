import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, shallowRef, type EffectScope } from 'vue'
import { useCard } from '../src/ui/useWish'

/** Cards by id, as far as they are on the page; `seen`: those that got the cursor, in order. */
let cards: Set<string>
let seen: string[]
let scope: EffectScope

beforeEach(() => {
  cards = new Set()
  seen = []
  scope = effectScope()
  const card = (id: string) => ({ scrollIntoView: () => undefined, focus: () => seen.push(id), querySelector: (what: string) => ({ focus: () => seen.push(`${id} ${what}`) }) })
  vi.stubGlobal('document', { getElementById: (id: string) => (cards.has(id) ? card(id) : null) })
})
afterEach(() => {
  scope.stop()
  vi.unstubAllGlobals()
})

/** A list that comes when it is told to; `again` waits for that. */
function list() {
  const value = shallowRef<string[] | null>(null)
  const error = ref<string | null>(null)
  const waiting: (() => void)[] = []
  const again = () => new Promise<void>((resolve) => waiting.push(resolve))
  async function comes(ids: string[], refused: string | null = null): Promise<void> {
    if (!refused) for (const id of ids) cards.add(`thing-${id}`)
    error.value = refused
    if (!refused) value.value = ids
    waiting.splice(0).forEach((done) => done())
    for (let turn = 0; turn < 5; turn++) await nextTick()
  }
  return { value, error, again, comes }
}

describe('a card that is wished for', () => {
  it('waits for its list and then takes the cursor, once', async () => {
    const { comes, ...rows } = list()
    const show = scope.run(() => useCard(rows))!
    void show('a')
    await nextTick()
    expect(seen).toEqual([])
    await comes(['a', 'b'])
    await comes(['a', 'b'])
    expect(seen).toEqual(['thing-a'])
  })

  it('is still waited for while the node does not answer', async () => {
    const { comes, ...rows } = list()
    const show = scope.run(() => useCard(rows))!
    void show('a')
    await comes([], 'the node is away')
    expect(seen).toEqual([])
    await comes(['a'])
    expect(seen).toEqual(['thing-a'])
  })

  it('is given up when a list that was asked for after the wish lacks it, or another is wished for', async () => {
    const { comes, ...rows } = list()
    const show = scope.run(() => useCard(rows))!
    void show('gone')
    await comes(['a'])
    await comes(['a', 'gone'])
    expect(seen).toEqual([])
    void show('late')
    void show('a')
    await comes(['a', 'late'])
    expect(seen).toEqual(['thing-a'])
  })

  it('gives the cursor to the part of the card that is named, and is told when the list has come', async () => {
    const { comes, value, error } = list()
    const arrived = vi.fn()
    const show = scope.run(() => useCard({ value, error }, { cursor: '.said', arrived }))!
    await show('a')
    await comes(['a'])
    expect(seen).toEqual(['thing-a .said'])
    expect(arrived).toHaveBeenCalledWith('a')
  })
})
