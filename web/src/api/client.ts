/** Calls to the node's REST interface; every failure becomes an ApiError that says what to do. */
import type { EntityDetail, Entry, LinkState, Me, NewMarker } from './types'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    reason: string,
    readonly remedy: string | null = null,
    readonly allowed: string | null = null,
  ) {
    super(reason)
  }
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

async function failure(answer: Response): Promise<ApiError> {
  let body: { error?: { code?: string; reason?: string; allowed?: unknown; do?: unknown } } = {}
  try {
    body = (await answer.json()) as typeof body
  } catch {
    // Not JSON: a proxy or a crash answered; the status is all there is.
  }
  const error = body.error ?? {}
  return new ApiError(
    answer.status,
    error.code ?? `http-${answer.status}`,
    error.reason ?? `${answer.status} ${answer.statusText}`.trim(),
    asText(error.do),
    asText(error.allowed),
  )
}

/** How long the node may take to say that it is there. */
const ANSWER_MS = 2000

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  // The node refuses unsafe methods without this header: a foreign page cannot set it.
  if (method !== 'GET') headers['X-Aquila'] = 'page'
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw new ApiError(0, 'unreachable', 'unreachable')
  }
  if (!answer.ok) throw await failure(answer)
  if (answer.status === 204) return undefined as T
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** Some routes may answer a bare list, some `{items: [...]}`; both are read. */
function list<T>(answer: T[] | { items?: T[] } | null | undefined): T[] {
  if (Array.isArray(answer)) return answer
  return answer?.items ?? []
}

export const api = {
  /** Whether the node answers at all, with whatever status. */
  answers: async () => {
    try {
      await fetch('/api/v1/me', { credentials: 'same-origin', signal: AbortSignal.timeout(ANSWER_MS) })
      return true
    } catch {
      return false
    }
  },
  me: () => call<Me>('GET', '/me'),
  entity: (id: string) => call<EntityDetail>('GET', `/entities/${encodeURIComponent(id)}`),
  /** The newest lines, from old to new. */
  entries: async (limit: number) =>
    list(await call<Entry[]>('GET', `/entries?newest=true&limit=${limit}`)),
  links: async () => list(await call<LinkState[]>('GET', '/links')),
  note: (text: string) => call<unknown>('POST', '/notes', { text }),
  chat: (room: string, text: string, to?: string[]) =>
    call<unknown>('POST', '/chat', to?.length ? { room, text, to } : { room, text }),
  marker: (marker: NewMarker) => call<unknown>('POST', '/markers', marker),
  remove: (id: string) => call<unknown>('DELETE', `/entities/${encodeURIComponent(id)}`),
}
