import { describe, expect, it } from 'vitest'
import type { Entry } from '../src/api/types'
import { authorOf, EVERYONE, JournalTail, kindOf, roomsOf, TAIL_LIMIT, textOf } from '../src/store/journal'
import { Seen } from '../src/stream/dedupe'

const entry = (n: number, more: Partial<Entry> = {}): Entry => ({
  id: `e${n}`, cursor: String(n), kind: 'note', body: { room: 'log', text: `line ${n}` }, author: 'p', author_name: 'A',
  happened_at_ms: n, received_at_ms: n, seq: n, ...more,
})

describe('the journal tail', () => {
  it('shows an entry once, however often it comes', () => {
    const tail = new JournalTail()
    expect(tail.add([entry(1), entry(2), entry(1)])).toBe(true)
    expect(tail.add([entry(2)])).toBe(false)
    expect(tail.all().map((one) => one.id)).toEqual(['e1', 'e2'])
  })

  it('stands in order of arrival, whatever order it came in', () => {
    const tail = new JournalTail()
    tail.add([entry(3), entry(1)])
    tail.add([entry(2)])
    expect(tail.all().map((one) => one.seq)).toEqual([1, 2, 3])
  })

  it('keeps the newest lines only', () => {
    const tail = new JournalTail()
    tail.add(Array.from({ length: TAIL_LIMIT + 20 }, (_, n) => entry(n)))
    expect(tail.all()).toHaveLength(TAIL_LIMIT)
    expect(tail.all()[0].seq).toBe(20)
  })
})

describe('entries', () => {
  it('are read by kind: journal lines and chat are both notes', () => {
    expect(kindOf(entry(1))).toBe('log')
    expect(kindOf(entry(1, { body: { room: 'ALPHA', text: 'x' } }))).toBe('chat')
    expect(kindOf(entry(1, { kind: 'act' }))).toBe('act')
    expect(kindOf(entry(1, { kind: 'order.v9' }))).toBe('other')
  })

  it('keep hostile text as text, and do without a body', () => {
    expect(textOf(entry(1, { body: { room: 'x', text: '<b>1</b>' } }))).toBe('<b>1</b>')
    expect(textOf(entry(1, { kind: 'act', body: undefined, summary: 'started' }))).toBe('started')
    expect(authorOf(entry(1, { author_name: null, body: { author_name: 'PATROL 1' } }))).toBe('PATROL 1')
  })

  it("name the rooms, everyone's first", () => {
    const list = [entry(1), entry(2, { body: { room: 'ZULU' } }), entry(3, { body: { room: 'ALPHA' } }), entry(4, { body: { text: 'x' } })]
    expect(roomsOf(list)).toEqual([EVERYONE, 'ALPHA', 'ZULU'])
  })
})

describe('seen ids', () => {
  it('are forgotten oldest first beyond the limit', () => {
    const seen = new Seen(2)
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map((id) => seen.first(id))).toEqual([true, true, false, true, true, true])
  })
})
