/**
 * Every workspace of the page, once. Tabs, the phone's bar, the palette, the shortcut sheet and the
 * keyboard all read this table; how to add one stands in README.md beside it.
 */
import { defineAsyncComponent, type Component } from 'vue'
import ChatPanel from '../panels/ChatPanel.vue'
import NowPanel from '../panels/NowPanel.vue'
import TracksPanel from '../panels/TracksPanel.vue'
import type { Desk } from '../store/desk'
import type { IconName } from '../ui/IconMark.vue'
import type { Shell } from './shell'

export interface Workspace {
  /** Also its name in `shell.open(id)`. */
  id: string
  /** A catalogue key. */
  title: string
  icon: IconName
  /** A tab on the left or on the right, or the whole width between the side panels' outer edges. */
  where: 'left' | 'right' | 'full'
  part: Component
  keys?: string
  /** In the bar at the bottom of a phone; the others stand under "More". */
  bar?: boolean
  /** A number beside the title: 0 shows none. Read on the desk's beat. */
  count?(desk: Desk, shell: Shell): number
  /** Absent: for everyone. */
  when?(desk: Desk): boolean
}

export const WORKSPACES: readonly Workspace[] = [
  {
    id: 'orbat',
    title: 'tabs.orbat',
    icon: 'tree',
    where: 'left',
    keys: '1',
    part: defineAsyncComponent(() => import('../panels/OrbatPanel.vue')),
  },
  { id: 'tracks', title: 'tabs.tracks', icon: 'list', where: 'left', keys: '2', bar: true, part: TracksPanel },
  {
    id: 'layers',
    title: 'draw.title',
    icon: 'layers',
    where: 'left',
    part: defineAsyncComponent(() => import('../draw/LayersPanel.vue')),
  },
  { id: 'now', title: 'tabs.now', icon: 'alert', where: 'right', keys: '4', part: NowPanel },
  {
    id: 'chat',
    title: 'tabs.chat',
    icon: 'chat',
    where: 'right',
    keys: '5',
    bar: true,
    part: ChatPanel,
    count: (_desk, shell) => shell.rooms.unread_count.value,
  },
  {
    id: 'table',
    title: 'tabs.table',
    icon: 'table',
    where: 'full',
    keys: '6',
    part: defineAsyncComponent(() => import('../panels/TrackTable.vue')),
  },
  {
    id: 'links',
    title: 'tabs.links',
    icon: 'links',
    where: 'full',
    keys: '7',
    count: (desk) => desk.links.value.length,
    // The links are those of now; beside a picture of the past they would be taken for its own.
    when: (desk) => desk.past.value === null,
    part: defineAsyncComponent(() => import('../panels/LinkBoard.vue')),
  },
  {
    id: 'feeds',
    title: 'feeds.title',
    icon: 'target',
    where: 'full',
    // Like the links, those of now.
    when: (desk) => desk.past.value === null,
    part: defineAsyncComponent(() => import('../staff/feeds/FeedBoard.vue')),
  },
  {
    id: 'incidents',
    title: 'staffIncidents.title',
    icon: 'flag',
    where: 'full',
    keys: '3',
    part: defineAsyncComponent(() => import('../staff/incidents/IncidentBoard.vue')),
  },
  {
    id: 'medevac',
    title: 'staffMedevac.title',
    icon: 'heart',
    where: 'full',
    keys: '8',
    part: defineAsyncComponent(() => import('../staff/medevac/MedevacBoard.vue')),
  },
  {
    id: 'questions',
    title: 'staffQuestions.title',
    icon: 'help',
    where: 'full',
    keys: '9',
    part: defineAsyncComponent(() => import('../staff/questions/QuestionBoard.vue')),
  },
  {
    id: 'reports',
    title: 'staffReports.title',
    icon: 'file',
    where: 'full',
    part: defineAsyncComponent(() => import('../staff/reports/ReportBoard.vue')),
  },
]

export function workspace(id: string): Workspace | undefined {
  return WORKSPACES.find((one) => one.id === id)
}
