/** The thread of the page's sockets: it moves bytes and knows nothing of what they mean. */
import type { FromWorker, ToWorker } from './socket'

const sockets = new Map<number, WebSocket>()
const tell = (message: FromWorker, transfer: Transferable[] = []): void => self.postMessage(message, { transfer })

function open(number: number, url: string): void {
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  sockets.set(number, socket)
  socket.onopen = () => tell({ t: 'opened', socket: number })
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    tell({ t: 'data', socket: number, data }, typeof data === 'string' ? [] : [data])
  }
  socket.onclose = ({ code }) => {
    sockets.delete(number)
    tell({ t: 'closed', socket: number, code })
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.t === 'open') open(data.socket, data.url)
  else if (data.t === 'send') sockets.get(data.socket)?.send(data.text)
  else if (data.t === 'close') sockets.get(data.socket)?.close()
  // A buffer that was read has come home, and needs no answer.
}
