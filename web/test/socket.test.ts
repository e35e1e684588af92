import { describe, expect, it } from 'vitest'
import { SocketWorker, type FromWorker, type Thread, type ToWorker } from '../src/stream/socket'

/** A worker whose other end is the test. */
class Worker implements Thread {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null = null
  onerror: ((event: ErrorEvent) => void) | null = null
  readonly told: ToWorker[] = []
  postMessage(message: ToWorker, transfer: Transferable[] = []): void {
    // As a browser does it: what is handed over is gone here.
    this.told.push(structuredClone(message, { transfer }))
  }
  says(data: FromWorker): void {
    this.onmessage?.({ data } as MessageEvent<FromWorker>)
  }
}

function page() {
  const made: Worker[] = []
  const sockets = new SocketWorker(() => {
    const worker = new Worker()
    made.push(worker)
    return worker
  })
  return { made, sockets }
}

describe('a socket in a worker', () => {
  it('is opened there, speaks when it is open, and is closed there', () => {
    const { made, sockets } = page()
    const socket = sockets.open('ws://node/stream')
    socket.send('too early')
    expect(socket.is_open).toBe(false)
    made[0].says({ t: 'opened', socket: 1 })
    expect(socket.is_open).toBe(true)
    socket.send('view')
    socket.close()
    expect(made[0].told).toEqual([
      { t: 'open', socket: 1, url: 'ws://node/stream' },
      { t: 'send', socket: 1, text: 'view' },
      { t: 'close', socket: 1 },
    ])
  })

  it('lends what it received, and gives the buffer back when it was read', () => {
    const { made, sockets } = page()
    const socket = sockets.open('ws://node/stream')
    const read: number[] = []
    let lent: ArrayBuffer | undefined
    socket.onmessage = (data) => {
      if (typeof data === 'string') return
      lent = data
      read.push(...new Uint8Array(data))
    }
    made[0].says({ t: 'data', socket: 1, data: Uint8Array.of(1, 2, 3).buffer })
    expect(read).toEqual([1, 2, 3])
    expect(lent?.byteLength).toBe(0)
    expect(made[0].told.at(-1)).toMatchObject({ t: 'read' })
  })

  it('hears only its own connection', () => {
    const { made, sockets } = page()
    const heard: string[] = []
    const [first, second] = [sockets.open('ws://node/a'), sockets.open('ws://node/b')]
    first.onmessage = (data) => heard.push(`first ${String(data)}`)
    second.onmessage = (data) => heard.push(`second ${String(data)}`)
    made[0].says({ t: 'closed', socket: 1, code: 1011 })
    made[0].says({ t: 'data', socket: 1, data: 'late' })
    made[0].says({ t: 'data', socket: 2, data: 'here' })
    expect(made).toHaveLength(1)
    expect(heard).toEqual(['second here'])
  })

  it('counts as lost when the worker does not start, and the next try has another worker', () => {
    const { made, sockets } = page()
    const codes: number[] = []
    sockets.open('ws://node/stream').onclose = (code) => codes.push(code)
    made[0].onerror?.({} as ErrorEvent)
    expect(codes).toEqual([1006])
    sockets.open('ws://node/stream')
    expect(made).toHaveLength(2)
  })
})
