import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Entry } from '../src/api/types'
import type { Desk } from '../src/store/desk'

const AT = Date.UTC(2026, 10, 25, 14, 10)
const MINUTE_MS = 60_000
/** One line a minute, the last of them now. */
const line = (n: number) => ({ id: `line ${n}`, happened_at_ms: AT + n * MINUTE_MS, received_at_ms: AT + n * MINUTE_MS }) as Entry

describe('the journal of a moment', () => {
  let asked: string[]

  /** Where looking back ends up, over a node with so many lines and no position, and what it says. */
  async function begunAt(count: number, go_ms?: number): Promise<{ at_ms: number; said: string[] }> {
    const said: string[] = []
    vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} })
    vi.stubGlobal('fetch', async (path: string) => new Response(JSON.stringify(path.includes('/entries') ? Array.from({ length: count }, (_, n) => line(n - count)) : [])))
    const { Replay } = await import('../src/replay/replay')
    return new Promise((resolve) => {
      const desk = {
        present_ms: { value: AT },
        selected: { value: null },
        past: { value: null },
        attempt: async (act: () => Promise<unknown>) => (await act(), true),
        notify: ({ key }: { key: string }) => said.push(key),
        showPast: (at_ms: number) => setTimeout(() => resolve({ at_ms, said }), 0),
      }
      const replay = new Replay(desk as unknown as Desk)
      if (go_ms === undefined) replay.begin()
      else replay.go(go_ms)
    })
  }

  async function shownAt(at_ms: number, count: number): Promise<string[]> {
    const lines = Array.from({ length: count }, (_, n) => line(n - count))
    vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} })
    vi.stubGlobal('fetch', async (path: string) => {
      asked.push(path)
      const words = new URLSearchParams(path.split('?')[1])
      const until_ms = Number(words.get('until_ms') ?? Infinity)
      const rows = path.includes('/entries') ? lines.filter((one) => one.received_at_ms <= until_ms).slice(-Number(words.get('limit'))) : []
      return new Response(JSON.stringify(rows))
    })
    const { Replay } = await import('../src/replay/replay')
    return new Promise((resolve) => {
      const desk = {
        present_ms: { value: AT },
        selected: { value: null },
        past: { value: null },
        attempt: async (act: () => Promise<unknown>) => (await act(), true),
        showPast: (until_ms: number, _rows: unknown, entries: Entry[]) => resolve(entries.filter((one) => one.happened_at_ms <= until_ms).map((one) => one.id)),
      }
      new Replay(desk as unknown as Desk).go(at_ms)
    })
  }
  beforeEach(() => {
    asked = []
  })

  it('is asked for once while it reaches back far enough', async () => {
    const shown = await shownAt(AT - 90 * MINUTE_MS, 100)
    expect([shown.length, shown.at(-1)]).toEqual([11, 'line -90'])
    expect(asked.filter((path) => path.includes('/entries'))).toHaveLength(1)
  })

  it('does not begin before the first line, and an empty moment before it says so', async () => {
    expect(await begunAt(3)).toEqual({ at_ms: AT - 3 * MINUTE_MS, said: ['replay.nothingBefore'] })
    expect(await begunAt(30)).toEqual({ at_ms: AT - 10 * MINUTE_MS, said: [] })
    expect(await begunAt(0)).toEqual({ at_ms: AT - 10 * MINUTE_MS, said: [] })
    // What somebody chose is shown as it is.
    expect(await begunAt(3, AT - 5 * MINUTE_MS)).toEqual({ at_ms: AT - 5 * MINUTE_MS, said: ['replay.nothingBefore'] })
  })

  it('is asked for anew where it lies before all that is known', async () => {
    const shown = await shownAt(AT - 6000 * MINUTE_MS, 7000)
    expect([shown.length, shown[0], shown.at(-1)]).toEqual([500, 'line -6499', 'line -6000'])
  })
})
