/** What the find box asks, group by group; each answer says what it is and what choosing it does. */
import { watch } from 'vue'
import { saidOf } from '../acts/said'
import type { PackageRow } from '../api.generated'
import { api, ApiError } from '../api/client'
import type { Entry } from '../api/types'
import { fold } from '../geo/fold'
import { bytes, mgrs, parsePlace } from '../geo/format'
import type { Place } from '../geo/place'
import { gazetteer } from '../geo/places'
import { pageI18n } from '../i18n'
import { replayOf } from '../replay/replay'
import { authorOf, isRepeat, textOf } from '../store/journal'
import { holds, wordsOf } from '../store/search'
import { dtgShort } from '../time/dtg'
import { pieceOf } from './piece'
import type { Shell } from './shell'

export type FindGroup = 'grid' | 'units' | 'others' | 'places' | 'subjects' | 'journal' | 'files'
export const FIND_GROUPS: readonly FindGroup[] = ['grid', 'units', 'others', 'places', 'subjects', 'journal', 'files']

export interface Found {
  key: string
  group: FindGroup
  name: string
  about: string
  /** For entities: their symbol. */
  symbol?: { sidc: string; affiliation: string }
  run(): unknown
}
export interface Answers {
  found: Found[]
  /** How many more of a group there are than are shown; with a `+`, at least so many. */
  more: Partial<Record<FindGroup, number | string>>
}

/** A file is found by its name, by a keyword, or by so much of the digest of its bytes that it is no accident. */
function whyFile(file: PackageRow, text: string): string[] {
  const wanted = text.toLowerCase()
  if (file.name.toLowerCase().includes(wanted)) return []
  const keyword = file.keywords.find((one) => one.toLowerCase().includes(wanted))
  return [keyword ?? pageI18n().global.t('find.id', { id: file.hash })]
}

/** Of each group; behind so many there may be more. */
export const SHOWN = 6
const LEAST_LETTERS = 2
const UNITS = new Set(['unit', 'platform'])

/** What the page itself knows: at once. */
export function findHere(shell: Shell, text: string): Answers {
  const answers: Answers = { found: [], more: {} }
  const wanted = text.trim()
  if (!wanted) return answers
  const place = parsePlace(wanted)
  if (place) {
    const grid = mgrs(place.lat_deg, place.lon_deg)
    answers.found.push({ key: 'grid', group: 'grid', name: grid, about: '', run: () => shell.showPlace(place) })
  }
  findEntities(shell, wanted, answers)
  if (wanted.length >= LEAST_LETTERS) findLines(shell, wanted, answers)
  return answers
}

function findEntities(shell: Shell, text: string, answers: Answers): void {
  const { tracks } = shell.desk
  const now_ms = shell.desk.now_ms.value
  const shown = { units: 0, others: 0 }
  const told = new Set<number>()
  for (const h of shell.index.find({ text }, now_ms)) {
    // A member of a fused track has no symbol of its own: who looks for it is shown the track, once.
    const over = tracks.trackOf(tracks.meta[h]!.id, now_ms) ?? h
    if (told.has(over)) continue
    told.add(over)
    const meta = tracks.meta[over]!
    const group = UNITS.has(meta.category) ? 'units' : 'others'
    if (++shown[group] > SHOWN) continue
    const motion = tracks.motion(over)
    const about = [...whyOf(shell, h, text), memberOf(shell, h, over), motion ? mgrs(motion.lat_deg, motion.lon_deg, 4) : '', shell.desk.nameOf(meta.source)]
    answers.found.push({
      key: `entity:${meta.id}`,
      group,
      name: meta.name,
      about: about.filter(Boolean).join(' · '),
      symbol: { sidc: meta.sidc, affiliation: meta.affiliation },
      run: () => shell.select(meta.id, true),
    })
  }
  for (const group of ['units', 'others'] as const) if (shown[group] > SHOWN) answers.more[group] = shown[group] - SHOWN
}

/** The member by which a track was found, where the track goes by another name; '' where nothing need be said. */
export function memberOf(shell: Shell, h: number, over: number): string {
  const { meta } = shell.desk.tracks
  const [member, track] = [meta[h], meta[over]]
  return h === over || !member || member.name === track?.name ? '' : pageI18n().global.t('why.standsFor', { name: member.name })
}

/** Why an entity is among the hits, where its name and its source do not say it: its id, or its kind and side. */
function whyOf(shell: Shell, h: number, text: string): string[] {
  const { t } = pageI18n().global
  const meta = shell.desk.tracks.meta[h]!
  if (shell.index.isFoundById(h, text)) return [t('find.id', { id: meta.id })]
  const seen = fold(`${meta.name} ${shell.desk.nameOf(meta.source)}`)
  return holds(seen, wordsOf(text)) ? [] : [t(`affiliation.${meta.affiliation}`), t(`category.${meta.category}`)]
}

function findLines(shell: Shell, text: string, answers: Answers): void {
  const lines = linesHere(shell, text)
  for (const entry of lines.slice(0, SHOWN)) answers.found.push(lineFound(shell, entry, text))
  if (lines.length > SHOWN) answers.more.journal = lines.length - SHOWN
}

/** The lines on the page that hold all the words, the newest first. */
export function linesHere(shell: Shell, text: string): Entry[] {
  const words = wordsOf(text)
  const { entries, names } = shell.desk
  return entries.value
    .filter((entry) => {
      const said = saidOf(entry)
      return said && holds(fold(`${authorOf(entry, names, shell.desk.node())} ${said} ${textOf(entry)}`), words)
    })
    .reverse()
}

function lineFound(shell: Shell, entry: Entry, text: string): Found {
  const { desk } = shell
  const author = authorOf(entry, desk.names, desk.node())
  return {
    key: `line:${entry.id}`,
    group: 'journal',
    name: saidOf(entry),
    about: [dtgShort(entry.happened_at_ms, desk.day_ms.value), author, pieceOf(entry.body, `${author} ${textOf(entry)}`, text)].filter(Boolean).join(' · '),
    run: () => openLine(shell, entry),
  }
}

/** The node's lines beside those of the page: each counts once, as in the journal. The node tells the newest only. */
function foundLines(shell: Shell, text: string, lines: readonly Entry[], answers: Answers): void {
  const here = linesHere(shell, text)
  const all = new Set([...here, ...lines].map(({ id }) => id))
  const shown = new Set([...here.slice(0, SHOWN), ...lines].map(({ id }) => id))
  for (const entry of lines) answers.found.push(lineFound(shell, entry, text))
  const more = all.size - shown.size
  if (more > 0) answers.more.journal = lines.length < SHOWN ? more : `${more}+`
}

/** A line that is older than those on the page is read where it happened: in the picture of its time. */
export function openLine(shell: Shell, entry: Entry): void {
  if (shell.desk.entries.value.some(({ id }) => id === entry.id)) void shell.showLine(entry.id)
  else lookBack(shell, entry, entry.body?.position ?? null)
}

function lookBack(shell: Shell, entry: Entry, place: Place | null): void {
  replayOf(shell.desk).recall(entry)
  if (place) shell.goTo(place)
  watch(shell.desk.past, () => void shell.showLine(entry.id), { once: true })
}

/** Towns of the base map, files and older lines of the journal on the node: a moment later. */
export async function findElsewhere(shell: Shell, text: string): Promise<Answers> {
  const answers: Answers = { found: [], more: {} }
  const wanted = text.trim()
  if (wanted.length < LEAST_LETTERS) return answers
  const none = (error: unknown): [] => {
    // A role that may not see them simply finds none.
    if (error instanceof ApiError) return []
    throw error
  }
  const [towns, files, lines, subjects] = await Promise.all([
    gazetteer().then((known) => known?.find(wanted, SHOWN) ?? []),
    api.packages(wanted).catch(none),
    // In the past only what had happened by then is found.
    !/[\p{L}\p{N}]/u.test(wanted) ? [] : api.searchEntries(wanted, SHOWN, { until_ms: shell.desk.past.value?.at_ms ?? null }).then((found) => found.filter((line) => !isRepeat(line))).catch(none),
    // Persons are never among them: their records are opened on the board of intelligence, with a reason.
    shell.desk.past.value ? [] : api.subjects(wanted, SHOWN + 1).catch(none),
  ])
  for (const subject of subjects.slice(0, SHOWN)) {
    answers.found.push({
      key: `subject:${subject.id}`,
      group: 'subjects',
      name: subject.name,
      about: [...subject.aliases, pieceOf([subject.text, subject.claims], `${subject.name} ${subject.aliases.join(' ')}`, wanted)].filter(Boolean).join(' · '),
      run: () => (shell.open('intel'), shell.focus(`intel:${subject.id}`)),
    })
  }
  if (subjects.length > SHOWN) answers.more.subjects = subjects.length - SHOWN
  foundLines(shell, wanted, lines, answers)
  for (const town of towns) {
    answers.found.push({
      key: `town:${town.name}:${town.lat_deg}`,
      group: 'places',
      name: town.name,
      about: `${town.country} · ${mgrs(town.lat_deg, town.lon_deg, 3)}`,
      run: () => shell.goTo(town, 10),
    })
  }
  for (const file of files.slice(0, SHOWN)) {
    answers.found.push({
      key: `file:${file.uid}`,
      group: 'files',
      name: file.name,
      about: [...whyFile(file, wanted), bytes(file.size_bytes), file.submitter].filter(Boolean).join(' · '),
      run: () => window.open(api.packageUrl(file.uid), '_blank', 'noopener'),
    })
  }
  if (files.length > SHOWN) answers.more.files = files.length - SHOWN
  return answers
}
