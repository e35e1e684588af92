import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, shallowRef, type EffectScope } from 'vue'
import type { Entry } from '../src/api/types'
import { MOMENT_WAIT_MS, useFoundLines } from '../src/panels/foundLines'
import { findElsewhere } from '../src/shell/find'
import type { Shell } from '../src/shell/shell'
import { Names } from '../src/store/names'

const AT_MS = 1_790_000_000_000
const line = (n: number) => ({ id: `line ${n}`, cursor: `c${n}`, kind: 'note', author: 'user:ANNA', body: { room: 'log', text: `bridge ${n}` }, happened_at_ms: AT_MS + n, received_at_ms: AT_MS + n, seq: n }) as unknown as Entry

/** A node with the lines 0 .. 29, of which the page has those from 20 on. */
function shellAt(at_ms: number | null) {
  const past = shallowRef(at_ms === null ? null : { at_ms })
  const entries = shallowRef(Array.from({ length: 10 }, (_, n) => line(20 + n)).filter((one) => one.happened_at_ms <= (at_ms ?? Infinity)))
  const desk = { past, entries, names: new Names(), node: () => null, day_ms: ref(AT_MS), attempt: async (act: () => Promise<unknown>) => (await act(), true) }
  return { desk, words_wanted: ref('bridge') } as unknown as Shell
}
let asked: URLSearchParams[]
let scope: EffectScope
beforeEach(() => {
  asked = []
  scope = effectScope()
  vi.stubGlobal('fetch', async (path: string) => {
    const words = new URLSearchParams(path.split('?')[1])
    if (!path.includes('/log/search')) return new Response('[]')
    asked.push(words)
    const until_ms = Number(words.get('until_ms') ?? Infinity)
    const rows = Array.from({ length: 30 }, (_, n) => line(n)).filter((one) => one.happened_at_ms < until_ms)
    return new Response(JSON.stringify(rows.reverse().slice(0, Number(words.get('limit')))))
  })
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the lines that hold some words', () => {
  it('of a moment of the past are those of the node by then, not only those of the page', async () => {
    const shell = shellAt(AT_MS + 5)
    const { lines } = scope.run(() => useFoundLines(shell))!
    await vi.waitFor(() => expect(lines.value.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5].map((n) => `line ${n}`)))
    expect(asked.map((words) => words.get('until_ms'))).toEqual([String(AT_MS + 6)])
  })

  it('follow the moment once it stands, and show nothing later meanwhile', async () => {
    vi.useFakeTimers()
    const shell = shellAt(AT_MS + 5)
    const { lines } = scope.run(() => useFoundLines(shell))!
    await vi.runAllTimersAsync()
    for (const n of [4, 3, 2]) {
      shell.desk.past.value = { ...shell.desk.past.value!, at_ms: AT_MS + n }
      await nextTick()
      expect(lines.value.at(-1)!.id).toBe(`line ${n}`)
      await vi.advanceTimersByTimeAsync(MOMENT_WAIT_MS / 2)
    }
    expect(asked).toHaveLength(1)
    shell.desk.past.value = { ...shell.desk.past.value!, at_ms: AT_MS + 9 }
    await vi.runAllTimersAsync()
    expect([asked.length, lines.value.length]).toEqual([2, 10])
  })

  it('are all counted in the journal, and in the find box as at least so many', async () => {
    const shell = shellAt(null)
    const { lines } = scope.run(() => useFoundLines(shell))!
    await vi.waitFor(() => expect(lines.value).toHaveLength(30))
    expect((await findElsewhere(shell, 'bridge')).more.journal).toBe('4+')
    expect(asked.at(-1)!.get('until_ms')).toBeNull()
  })
})
