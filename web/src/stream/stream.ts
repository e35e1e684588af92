/**
 * The live stream from the node: connects, watches, asks again, never gives up.
 *
 * It knows sockets and frames, not Vue: the page gives it a `StreamSink`, and a way to open sockets.
 */
import type { Cursor, ServerText } from '../api/types'
import { decodeFrame, FrameError, FrameKind, type Frame } from './frame'
import type { StreamSocket } from './socket'

export type StreamState = 'connecting' | 'live' | 'lost' | 'refused'

export interface StreamSink {
  state(state: StreamState): void
  text(message: ServerText): void
  /** Its columns are views into a buffer that is gone when this returns. */
  frame(frame: Frame): void
  /** A frame that broke the contract; the stream asks for a snapshot by itself. */
  broken(reason: string): void
}

export interface View {
  /** West, south, east, north in degrees; null for everything. */
  bbox: [number, number, number, number] | null
  interval_ms: number
}

/** Short, because a node on the same table comes back within seconds and a staff waits for it. */
export const BACKOFF_MS = [250, 500, 1000, 2000]
/** A socket that says nothing for this long is dead, whatever the browser believes. */
export const SILENCE_MS = 12_000
/** Who comes back to the page need not wait that long: the node's heartbeat (5 s) is overdue. */
export const OVERDUE_MS = 6000
/** How often the node may send what has moved: a plot shall be a moved symbol within a quarter of a second. */
export const INTERVAL_MS = 100

/** How long to wait before try number `attempt` (from 0); `chance` is 0..1. */
export function backoffMs(attempt: number, chance: number): number {
  const base = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]
  // Half of the wait is drawn by chance, so that all pages do not come back in one instant.
  return (base * (1 + chance)) / 2
}

export class StreamClient {
  private socket: StreamSocket | null = null
  private cursor: Cursor | null = null
  private sequence: number | null = null
  private attempt = 0
  private timer: ReturnType<typeof setTimeout> | null = null
  private watch: ReturnType<typeof setInterval> | null = null
  private heard_ms = 0
  private view: View = { bbox: null, interval_ms: INTERVAL_MS }
  private stopped = false
  /** Grows with every try; the answer to an older one comes too late to count. */
  private turn = 0

  /** `answers` says, within a few seconds, whether the node is there at all. */
  constructor(
    private readonly url: string,
    private readonly open: (url: string) => StreamSocket,
    private readonly sink: StreamSink,
    private readonly answers: () => Promise<boolean>,
    private readonly monotonic_ms: () => number = () => performance.now(),
  ) {}

  start(since: Cursor | null): void {
    this.cursor = since
    this.watch = setInterval(() => this.checkSilence(), 1000)
    this.connect()
  }

  stop(): void {
    this.stopped = true
    if (this.timer) clearTimeout(this.timer)
    if (this.watch) clearInterval(this.watch)
    this.socket?.close()
  }

  setView(view: View): void {
    this.view = view
    this.say({ t: 'view', ...view })
  }

  /** Tries at once, for `online` and for a page that comes back to the front. */
  hurry(): void {
    if (this.stopped) return
    const socket = this.socket
    if (socket) {
      if (this.monotonic_ms() - this.heard_ms < OVERDUE_MS) return
      this.lose(1006)
      socket.close()
    }
    if (this.timer) clearTimeout(this.timer)
    this.attempt = 0
    void this.tryAgain()
  }

  /**
   * Asks over plain HTTP first: browsers hold back WebSockets, for seconds, after many have failed.
   */
  private async tryAgain(): Promise<void> {
    const turn = ++this.turn
    const there = await this.answers()
    if (this.stopped || this.socket || turn !== this.turn) return
    if (there) this.connect()
    else this.wait()
  }

  private wait(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.tryAgain(), backoffMs(this.attempt++, Math.random()))
  }

  private say(message: unknown): void {
    if (this.socket?.is_open) this.socket.send(JSON.stringify(message))
  }

  private connect(): void {
    if (this.stopped) return
    const since = this.cursor === null ? '' : `?since=${encodeURIComponent(String(this.cursor))}`
    const socket = this.open(this.url + since)
    this.socket = socket
    this.sequence = null
    this.heard_ms = this.monotonic_ms()
    this.sink.state('connecting')
    socket.onopen = () => {
      this.heard_ms = this.monotonic_ms()
      this.say({ t: 'view', ...this.view })
    }
    socket.onmessage = (data) => {
      if (this.socket !== socket) return
      this.heard_ms = this.monotonic_ms()
      if (typeof data === 'string') this.onText(data)
      else this.onFrame(data)
    }
    socket.onclose = (code) => {
      if (this.socket === socket) this.lose(code)
    }
  }

  private lose(code: number): void {
    this.socket = null
    if (this.stopped) return
    // 4401 is the node's way to say: log in again.
    if (code === 4401) this.sink.state('refused')
    else this.sink.state('lost')
    this.wait()
  }

  private checkSilence(): void {
    const socket = this.socket
    if (!socket || this.monotonic_ms() - this.heard_ms < SILENCE_MS) return
    this.lose(1006)
    socket.close()
  }

  private onText(data: string): void {
    let message: ServerText
    try {
      message = JSON.parse(data) as ServerText
    } catch {
      this.sink.broken('text frame is not JSON')
      return
    }
    if (message.t === 'hello') {
      this.attempt = 0
      this.cursor ??= message.cursor
      this.sink.state('live')
    } else if (message.t === 'entry') {
      this.cursor = message.cursor
    }
    this.sink.text(message)
  }

  private onFrame(data: ArrayBuffer): void {
    let frame: Frame | null
    try {
      frame = decodeFrame(data)
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof SyntaxError)) throw error
      this.sink.broken(error.message)
      this.say({ t: 'resync' })
      return
    }
    if (!frame) return
    const expected = this.sequence === null ? frame.sequence : (this.sequence + 1) >>> 0
    this.sequence = frame.sequence
    // A snapshot repairs every gap by itself.
    if (frame.sequence !== expected && frame.kind !== FrameKind.snapshot) this.say({ t: 'resync' })
    this.sink.frame(frame)
  }
}
