/** Calls to the node's REST interface; every failure becomes an ApiError that says what to do. */
import type {
  ContactRow, Device, DeviceInvited, DeviceMade, GroupRow, InvitationRow, InviteDevice, LinkRow, MailRow, MissionChangeRow, MissionDetail, MissionInvitation, MissionMade, MissionMember, MissionSummary, NewDevice, NewMission, PackageRow, PackageSent, PairsSaid, SubjectRow, WhyTrack,
} from '../api.generated'
import { told, type Phrase, type Refusal } from '../acts/said'
import type { Cursor, EntityDetail, Entry, LinkState, Me, NewMarker } from './types'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    reason: string,
    readonly remedy: string | null = null,
    readonly allowed: string | null = null,
    /** What the node said, to say it in another language; null: the page said it itself. */
    readonly refusal: Refusal | null = null,
  ) {
    super(reason)
  }

  /** Why it failed, in the language of now: what is shown for a while keeps the error, not its words. */
  get reason(): string {
    return this.refusal ? told(this.refusal).reason : this.message
  }

  /** What to do about it, in the language of now. */
  get advice(): string | null {
    return this.refusal ? told(this.refusal).remedy : this.remedy
  }
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** `act`, `words`: which sentence of the node `reason` is. */
type Answered = Phrase & { code?: string; reason?: string; allowed?: unknown; do?: unknown }

async function failure(answer: Response): Promise<ApiError> {
  let body: { error?: Answered; message?: string } = {}
  try {
    body = (await answer.json()) as typeof body
  } catch {
    // Not JSON: a proxy or a crash answered; the status is all there is.
  }
  const error = body.error ?? {}
  const code = error.code ?? `http-${answer.status}`
  if (!error.reason) return new ApiError(answer.status, code, body.message ?? `${answer.status} ${answer.statusText}`.trim())
  const refusal = { ...error, code, reason: error.reason, remedy: asText(error.do), allowed: asText(error.allowed) }
  const { reason, remedy, allowed } = told(refusal)
  return new ApiError(answer.status, code, reason, remedy, allowed, refusal)
}

/** How long the node may take to say that it is there. */
const ANSWER_MS = 2000

/** Why nothing may be written now; null when all may be. Leaving is always possible. */
let held: (() => string) | null = null
export function holdWrites(why: (() => string) | null): void {
  held = why
}

async function ask(path: string, options: RequestInit & { headers: Record<string, string> }): Promise<Response> {
  // The node refuses unsafe methods without this header: a foreign page cannot set it.
  if (options.method !== 'GET') options.headers['X-Aquila'] = 'page'
  if (held && options.method !== 'GET' && path !== '/logout') throw new ApiError(409, 'replay', held())
  let answer: Response
  try {
    answer = await fetch(path, { ...options, credentials: 'same-origin' })
  } catch {
    throw new ApiError(0, 'unreachable', 'unreachable')
  }
  if (!answer.ok) throw await failure(answer)
  return answer
}

/** One call below /api/v1. Parts with calls of their own (`staff`) use it; throws ApiError. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const answer = await ask(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  if (answer.status === 204) return undefined as T
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** The TAK contract, where our own interface has no word for it: the data in its envelope. */
async function marti<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const answer = await ask(`/Marti${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  return ((await answer.json()) as { data: T }).data
}

/** A line in the log of a mission. */
export interface MissionLine {
  id: string
  content: string
  creatorUid?: string
  dtg: string
}

const one = (id: string) => encodeURIComponent(id)

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
  /** Ends the session of this browser. */
  logOut: async () => void (await ask('/logout', { method: 'POST', headers: {} })),
  /** The picture as rows, narrowed to a category, a side or the beginning of a CoT type. */
  entities: async (kind: string) => list(await call<EntityDetail[]>('GET', `/entities?kind=${one(kind)}`)),
  entity: (id: string) => call<EntityDetail>('GET', `/entities/${encodeURIComponent(id)}`),
  /** The newest lines, from old to new. */
  /** The newest lines; with `until_ms` (UTC) those of them that were there by then. Throws ApiError. */
  entries: async (limit: number, until_ms: number | null = null) =>
    list(await call<Entry[]>('GET', `/entries?newest=true&limit=${limit}${until_ms === null ? '' : `&until_ms=${until_ms}`}`)),
  /** Notes, removals and papers stamped between two times, from old to new, of more than `limit` the newest. Throws ApiError. */
  entriesBetween: async (from_ms: number, until_ms: number, limit: number) =>
    list(await call<Entry[]>('GET', `/entries?newest=true&kind=note,removal,paper&limit=${limit}&from_ms=${from_ms}&until_ms=${until_ms}`)),
  /**
   * Lines that hold these words, the newest first; `before` goes on behind the cursor of one, and with `until_ms` (UTC)
   * only those are found that had happened by then. Throws ApiError.
   */
  searchEntries: async (q: string, limit: number, { before = '', until_ms = null }: { before?: Cursor; until_ms?: number | null } = {}) =>
    // The node's `until_ms` is the first moment that is left out.
    list(await call<Entry[]>('GET', `/log/search?${new URLSearchParams({ q, limit: String(limit), before: String(before), ...(until_ms === null ? {} : { until_ms: String(Math.floor(until_ms) + 1) }) })}`)),
  /** Groups, places, vehicles and events of intelligence; never persons. Throws ApiError. */
  subjects: async (q: string, limit: number) => list(await call<SubjectRow[]>('GET', `/intel/subjects?${new URLSearchParams({ q, limit: String(limit) })}`)),
  /** Why a track is one, by the id of its symbol or of a member. Throws ApiError. */
  whyTrack: (id: string) => call<WhyTrack>('GET', `/tracks/${one(id)}/why`),
  mergeTracks: (one: string, other: string) => call<PairsSaid>('POST', '/tracks/merge', { one, other }),
  splitTrack: (member: string) => call<PairsSaid>('POST', '/tracks/split', { member }),
  lockTrack: (id: string) => call<PairsSaid>('POST', '/tracks/lock', { id }),
  freeTrack: (id: string) => call<PairsSaid>('POST', '/tracks/free', { id }),
  /** Undoes what these entries said of tracks; undone, it is said again. */
  takeBackTracks: (entries: readonly string[]) => call<PairsSaid>('POST', '/tracks/take-back', { entries }),
  links: async () => list(await call<LinkState[]>('GET', '/links')),
  chat: (room: string, text: string, to?: string[]) =>
    call<unknown>('POST', '/chat', to?.length ? { room, text, to } : { room, text }),
  marker: (marker: NewMarker) => call<{ entity: string; entry: string }>('POST', '/markers', marker),
  remove: (id: string) => call<unknown>('DELETE', `/entities/${encodeURIComponent(id)}`),
  devices: () => call<Device[]>('GET', '/devices'),
  linkRows: () => call<LinkRow[]>('GET', '/links'),
  contacts: () => call<ContactRow[]>('GET', '/contacts'),
  groups: () => call<GroupRow[]>('GET', '/groups'),
  addDevice: (device: NewDevice) => call<DeviceMade>('POST', '/devices', device),
  inviteDevice: (device: InviteDevice) => call<DeviceInvited>('POST', '/devices/invitations', device),
  pendingInvitations: () => call<InvitationRow[]>('GET', '/devices/invitations?state=pending'),
  cancelInvitation: (id: string) => call<unknown>('DELETE', `/devices/invitations/${encodeURIComponent(id)}`),
  dropDevice: (name: string) => call<unknown>('DELETE', `/devices/${encodeURIComponent(name)}`),
  mail: () => call<MailRow[]>('GET', '/mail'),
  packages: (text: string) => call<PackageRow[]>('GET', text ? `/packages?text=${one(text)}` : '/packages'),
  renamePackage: (uid: string, name: string, keywords: string[]) => call<unknown>('POST', `/packages/${one(uid)}/name`, { name, keywords }),
  labelPackage: (uid: string, groups: string[]) => call<unknown>('POST', `/packages/${one(uid)}/label`, { groups }),
  withdrawPackage: (uid: string) => call<unknown>('DELETE', `/packages/${one(uid)}`),
  /** Offers it to contacts, by uid; who is away gets the offer when he connects. */
  sendPackage: (uid: string, to: string[]) => call<PackageSent>('POST', `/packages/${one(uid)}/send`, { to }),
  packageUrl: (uid: string) => `/Marti/sync/content?uid=${one(uid)}`,
  fileUrl: (sha256: string) => `/Marti/sync/content?hash=${sha256}`,
  /** A zip gets the word by which TAK clients know a data package. */
  upload: async (file: File) => {
    const isZip = /\.(zip|dpk)$/i.test(file.name)
    const kind = isZip ? 'application/zip' : file.type || 'application/octet-stream'
    const words = isZip ? '&keywords=missionpackage' : ''
    const answer = await ask(`/Marti/sync/upload?name=${one(file.name)}${words}`, { method: 'POST', headers: { 'Content-Type': kind }, body: file })
    return (await answer.json()) as { UID: string; Hash: string }
  },
  missions: () => call<MissionSummary[]>('GET', '/missions'),
  createMission: (mission: NewMission) => call<MissionMade>('POST', '/missions', mission),
  mission: (guid: string) => call<MissionDetail>('GET', `/missions/${one(guid)}`),
  deleteMission: (guid: string) => call<unknown>('DELETE', `/missions/${one(guid)}`),
  missionChanges: (guid: string, since: number) => call<MissionChangeRow[]>('GET', `/missions/${one(guid)}/changes?since=${since}`),
  addToMission: (guid: string, content: { files?: string[]; uids?: string[] }) => call<unknown>('POST', `/missions/${one(guid)}/contents`, content),
  removeFromMission: (guid: string, content: { file?: string; uid?: string }) =>
    call<unknown>('DELETE', `/missions/${one(guid)}/contents?${new URLSearchParams(content as Record<string, string>)}`),
  missionMembers: (guid: string) => call<MissionMember[]>('GET', `/missions/${one(guid)}/members`),
  giveMissionRole: (guid: string, uid: string, role: MissionMember['role']) => call<unknown>('POST', `/missions/${one(guid)}/members`, { uid, role }),
  missionInvitations: (guid: string) => call<MissionInvitation[]>('GET', `/missions/${one(guid)}/invitations`),
  inviteToMission: (guid: string, who: Pick<MissionInvitation, 'type' | 'invitee' | 'role'>) => call<unknown>('POST', `/missions/${one(guid)}/invitations`, who),
  cancelMissionInvitation: (guid: string, { type, invitee }: MissionInvitation) =>
    call<unknown>('DELETE', `/missions/${one(guid)}/invitations?${new URLSearchParams({ type, invitee })}`),
  missionLog: (guid: string) => marti<MissionLine[]>('GET', `/api/missions/guid/${one(guid)}/log`),
  logInMission: (name: string, content: string) => marti<unknown>('POST', '/api/missions/logs/entries', { content, missionNames: [name] }),
}
