/**
 * A WebSocket that lives in a worker: what it receives costs the page's own thread one message, however large it is.
 *
 * Reading two megabytes a second off a socket takes longer than drawing what they say, and their buffers would keep
 * the page's collector busy; so the worker owns the socket, hands each buffer over, and gets it back when it was read.
 */

/** What the stream needs of a socket. */
export interface StreamSocket {
  onopen: (() => void) | null
  onmessage: ((data: string | ArrayBuffer) => void) | null
  onclose: ((code: number) => void) | null
  readonly is_open: boolean
  send(text: string): void
  close(): void
}

/** To the worker; `socket` numbers the connections of a page. */
export type ToWorker =
  | { t: 'open'; socket: number; url: string }
  | { t: 'send'; socket: number; text: string }
  | { t: 'close'; socket: number }
  | { t: 'read'; buffer: ArrayBuffer }

/** From the worker. */
export type FromWorker =
  | { t: 'opened'; socket: number }
  | { t: 'data'; socket: number; data: string | ArrayBuffer }
  | { t: 'closed'; socket: number; code: number }

/** What of a Worker is used here. */
export interface Thread {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  postMessage(message: ToWorker, transfer?: Transferable[]): void
}

/** As `WebSocket` closes a connection that never was. */
const NEVER_OPENED = 1006

/** Opens sockets in one worker, which is made with the first of them. */
export class SocketWorker {
  private readonly sockets = new Map<number, WorkerSocket>()
  private worker: Thread | null = null
  private last = 0

  constructor(private readonly make: () => Thread) {}

  open(url: string): StreamSocket {
    this.worker ??= this.started()
    const socket = new WorkerSocket(this.worker, ++this.last, url)
    this.sockets.set(this.last, socket)
    return socket
  }

  private started(): Thread {
    const worker = this.make()
    worker.onmessage = ({ data }) => {
      const socket = this.sockets.get(data.socket)
      if (data.t === 'closed') this.sockets.delete(data.socket)
      socket?.take(data)
      // What was read goes back, to be freed where it was made.
      if (data.t === 'data' && typeof data.data !== 'string') worker.postMessage({ t: 'read', buffer: data.data }, [data.data])
    }
    // Its script did not come: the next try brings another.
    worker.onerror = () => {
      this.worker = null
      const lost = [...this.sockets]
      this.sockets.clear()
      for (const [number, socket] of lost) socket.take({ t: 'closed', socket: number, code: NEVER_OPENED })
    }
    return worker
  }
}

class WorkerSocket implements StreamSocket {
  onopen: (() => void) | null = null
  /** A buffer is lent: it is gone when this returns. */
  onmessage: ((data: string | ArrayBuffer) => void) | null = null
  onclose: ((code: number) => void) | null = null
  is_open = false

  constructor(
    private readonly worker: Thread,
    private readonly socket: number,
    url: string,
  ) {
    worker.postMessage({ t: 'open', socket, url })
  }

  take(message: FromWorker): void {
    if (message.t === 'data') return this.onmessage?.(message.data)
    this.is_open = message.t === 'opened'
    if (message.t === 'opened') this.onopen?.()
    else this.onclose?.(message.code)
  }

  send(text: string): void {
    if (this.is_open) this.worker.postMessage({ t: 'send', socket: this.socket, text })
  }

  close(): void {
    this.is_open = false
    this.worker.postMessage({ t: 'close', socket: this.socket })
  }
}
