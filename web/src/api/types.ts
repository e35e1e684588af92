/** The shapes that the node speaks over REST and over the live stream. */
import type { Geometry } from 'geojson'

export type Affiliation = 'friend' | 'hostile' | 'neutral' | 'unknown'
export type Category = 'unit' | 'platform' | 'marker' | 'drawing' | 'alert' | 'place' | 'track'

export interface Banner {
  classification: string
  text: string
  exercise: boolean
}
export interface NodeName {
  id: string
  name: string
}
export interface Me {
  principal: { id: string; name: string; roles: string[]; nation?: string | null; groups_in?: string[]; groups_out?: string[] }
  node: NodeName
  context: string
  banner: Banner
  server_time_ms: number
  view?: { lon_deg: number; lat_deg: number; zoom: number } | null
}

/** Static attributes of one track; `h` is its handle in the binary frames. */
export interface TrackMeta {
  h: number
  id: string
  name: string
  sidc: string
  type: string
  source: string
  observed_at_ms: number
  stale_at_ms: number
  affiliation: Affiliation | string
  category: Category | string
  emergency?: string | null
  /** On the entity of an alert: id of the entity that calls for help. */
  caller?: string | null
  geometry?: Geometry | null
  /** Of a fused track: ids of the entities that it stands for. */
  members?: readonly string[]
  /** Of drawings and marks: the fields that say how they look. */
  drawn?: Readonly<Record<string, string>>
  /** Flight level of what flies: hundreds of feet of pressure altitude. */
  level?: number
}

export interface Position {
  lat_deg: number
  lon_deg: number
  hae_m?: number | null
  ce_m?: number | null
}
export interface Label {
  policy?: string
  classification?: string
  categories?: unknown
  [key: string]: unknown
}
export interface SourceReport {
  source: string
  observed_at: string
  position?: Position | null
  how?: string | null
}
export interface EntityDetail {
  id: string
  name: string
  sidc: string
  type: string
  aliases?: Alias[]
  position?: Position | null
  motion?: { course_deg?: number | null; speed_mps?: number | null } | null
  observed_at: string
  stale_at?: string | null
  source?: string | null
  label?: Label | null
  team?: string | null
  role?: string | null
  remarks?: string | null
  battery_pct?: number | null
  /** Structured detail as it came, for instance the lines of a MEDEVAC request. */
  fields?: Record<string, string>
  sources?: SourceReport[]
}

export interface Alias {
  scheme: string
  value: string
}
/** What the page reads of a body; which of it is there depends on the kind of entry. */
export interface EntryBody {
  room?: string
  /** What people call the room, where its id is a foreign one. */
  room_name?: string | null
  text?: string
  author_name?: string | null
  author_alias?: Alias | null
  to?: Alias[]
  entity?: string
  alias?: Alias
  name?: string | null
  own?: boolean
  type?: string
  category?: string
  position?: Position | null
  remarks?: string | null
  emergency?: { type: string; active: boolean } | null
  /** Who made what is reported, on a phone that is not the thing itself. */
  parent?: Alias | null
  action?: string
  target?: string
  /** Of a paper: what its step says; of a report: what has no place of its own there. */
  fields?: Record<string, unknown>
  detail?: Record<string, string>
}
export type Cursor = string | number
export interface Entry {
  id: string
  cursor: Cursor
  kind: 'note' | 'report' | 'removal' | 'receipt' | 'act' | 'foreign' | string
  /** Null when it is sealed, erased or withheld. */
  body?: EntryBody | null
  author: string
  author_name?: string | null
  happened_at_ms: number
  received_at_ms: number
  label?: Label | null
  context?: string
  node?: string
  seq: number
  summary?: string | null
  /** Which sentence of the node the summary is, and what stands in it: see `acts/said`. */
  act?: string
  words?: Record<string, unknown>
}

export interface LinkState {
  id: string
  name: string
  transport: string
  peer?: string | null
  principal?: string | null
  state: 'up' | 'slow' | 'down' | 'refused' | string
  since_ms: number
  /** When somebody from there was refused last; null: never. */
  last_ms?: number | null
  /** False: lost before the node started, what it had counted is not known. */
  is_counted?: boolean
  in_count: number
  out_count: number
  why?: string
  act?: string
  words?: Record<string, unknown>
  refused_count?: number | null
  backlog_bytes?: number | null
  error_count?: number | null
  uid?: string | null
  callsign?: string | null
}

export interface Counts {
  entities: number
  fresh: number
  stale: number
  links: number
}

export type ServerText =
  | {
      t: 'hello'
      node: NodeName
      context: string
      banner: Banner
      cursor: Cursor
      server_time_ms: number
      epoch: string | number
    }
  | { t: 'entry'; entry: Entry; cursor: Cursor }
  | ({ t: 'counts' } & Counts)

export interface NewMarker {
  name: string
  lat_deg: number
  lon_deg: number
  sidc?: string
  type?: string
  remarks?: string
}
