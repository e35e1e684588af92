import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { StreamSocket } from '../src/stream/socket'
import { BACKOFF_MS, backoffMs, OVERDUE_MS, SILENCE_MS, StreamClient, type StreamState } from '../src/stream/stream'

/** A socket that does nothing by itself. */
class Socket implements StreamSocket {
  static made: Socket[] = []
  readonly is_open = true
  onopen: (() => void) | null = null
  onmessage: ((data: string | ArrayBuffer) => void) | null = null
  onclose: ((code: number) => void) | null = null
  constructor(readonly url: string) {
    Socket.made.push(this)
  }
  send(): void {}
  close(): void {}
}
const HELLO = JSON.stringify({ t: 'hello', cursor: 'c1' })

describe('the stream', () => {
  let there: boolean
  let asked: number
  let states: StreamState[]
  let client: StreamClient
  const newest = () => Socket.made[Socket.made.length - 1]

  beforeEach(() => {
    vi.useFakeTimers()
    Socket.made = []
    states = []
    there = true
    asked = 0
    const sink = { state: (state: StreamState) => states.push(state), text: () => {}, frame: () => {}, broken: () => {} }
    const answers = () => Promise.resolve((asked++, there))
    client = new StreamClient('ws://node/stream', (url) => new Socket(url), sink, answers, () => Date.now())
    client.start(null)
    newest().onmessage?.(HELLO)
  })
  afterEach(() => {
    client.stop()
    vi.useRealTimers()
  })

  it('comes back within its first wait when the node answers', async () => {
    newest().onclose?.(1006)
    expect(states.at(-1)).toBe('lost')
    await vi.advanceTimersByTimeAsync(BACKOFF_MS[0])
    expect(Socket.made).toHaveLength(2)
    expect(newest().url).toContain('since=c1')
  })

  it('asks at least every two seconds while the node is gone, and opens no socket for it', async () => {
    there = false
    newest().onclose?.(1006)
    await vi.advanceTimersByTimeAsync(60_000)
    const before = asked
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked - before).toBeGreaterThanOrEqual(10)
    expect(Socket.made).toHaveLength(1)
    there = true
    await vi.advanceTimersByTimeAsync(2000)
    expect(Socket.made).toHaveLength(2)
  })

  it('tries at once when it is hurried', async () => {
    there = false
    newest().onclose?.(1006)
    await vi.advanceTimersByTimeAsync(60_000)
    there = true
    client.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(Socket.made).toHaveLength(2)
  })

  it('leaves a socket that speaks alone, and gives up one that is overdue', async () => {
    client.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(Socket.made).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(OVERDUE_MS)
    client.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(Socket.made).toHaveLength(2)
  })

  it('gives up a silent socket by itself', async () => {
    await vi.advanceTimersByTimeAsync(SILENCE_MS + 1000 + BACKOFF_MS[0])
    expect(states).toContain('lost')
    expect(Socket.made).toHaveLength(2)
  })
})

describe('the wait before the next try', () => {
  it('grows from a quarter of a second to two seconds, by chance between half and whole', () => {
    expect(backoffMs(0, 1)).toBe(250)
    expect(backoffMs(0, 0)).toBe(125)
    expect(backoffMs(99, 1)).toBe(2000)
    expect(backoffMs(99, 0)).toBe(1000)
  })
})
