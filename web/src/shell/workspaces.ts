/**
 * Every workspace of the page, once. Tabs, the phone's bar, the palette, the shortcut sheet and the
 * keyboard all read this table; how to add one stands in README.md beside it.
 */
import { defineAsyncComponent } from 'vue'
import { mayDo } from '../exchange/roles'
import ChatPanel from '../panels/ChatPanel.vue'
import NowPanel from '../panels/NowPanel.vue'
import TracksPanel from '../panels/TracksPanel.vue'
import { alertsOf } from '../staff/alerts/live'
import { isThere } from '../store/links'
import type { Workspace } from './shell'

export const WORKSPACES: readonly Workspace[] = [
  {
    id: 'home',
    title: 'staffRoles.title',
    icon: 'user',
    where: 'left',
    keys: 'h',
    bar: true,
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/roles/HomePanel.vue')),
  },
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
  { id: 'maps', title: 'ownMaps.title', icon: 'map', where: 'left', part: defineAsyncComponent(() => import('../maps/MapsPanel.vue')) },
  { id: 'coverage', title: 'coverage.title', icon: 'eye', where: 'left', part: defineAsyncComponent(() => import('../coverage/CoveragePanel.vue')) },
  { id: 'now', title: 'tabs.now', icon: 'alert', where: 'right', keys: '4', part: NowPanel },
  {
    id: 'alerts',
    title: 'staffAlerts.title',
    icon: 'bell',
    where: 'right',
    keys: 'shift+a',
    count: (desk) => alertsOf(desk).raised(),
    counted: 'staffAlerts.tabCount',
    part: defineAsyncComponent(() => import('../staff/alerts/AlertPanel.vue')),
  },
  {
    id: 'patterns',
    title: 'patterns.title',
    icon: 'target',
    where: 'right',
    live_only: true,
    part: defineAsyncComponent(() => import('../patterns/PatternPanel.vue')),
  },
  {
    id: 'chat',
    title: 'tabs.chat',
    icon: 'chat',
    where: 'right',
    keys: '5',
    bar: true,
    part: ChatPanel,
    count: (desk, shell) => (desk.past.value ? 0 : shell.rooms.unread_count.value),
  },
  { id: 'brief', title: 'brief.title', icon: 'note', where: 'right', part: defineAsyncComponent(() => import('../brief/BriefPanel.vue')) },
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
    count: (desk) => desk.links.value.filter(isThere).length,
    live_only: true,
    part: defineAsyncComponent(() => import('../panels/LinkBoard.vue')),
  },
  {
    id: 'feeds',
    title: 'feeds.title',
    icon: 'target',
    where: 'full',
    keys: 'shift+f',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/feeds/FeedBoard.vue')),
  },
  {
    id: 'upkeep',
    title: 'upkeep.title',
    icon: 'fit',
    where: 'full',
    keys: 'shift+u',
    live_only: true,
    // For who runs the node.
    when: (desk) => mayDo(desk.me.value, 'admin'),
    part: defineAsyncComponent(() => import('../upkeep/UpkeepBoard.vue')),
  },
  {
    id: 'exercise',
    title: 'exercise.title',
    icon: 'clock',
    where: 'full',
    keys: 'shift+x',
    live_only: true,
    // Only where it is an exercise.
    when: (desk) => !/^REAL/.test(desk.context.value) && desk.me.value !== null,
    part: defineAsyncComponent(() => import('../staff/exercise/ExerciseBoard.vue')),
  },
  {
    id: 'extract',
    title: 'extract.title',
    icon: 'file',
    where: 'full',
    keys: 'shift+l',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/extract/ExtractBoard.vue')),
  },
  {
    id: 'incidents',
    title: 'staffIncidents.title',
    icon: 'flag',
    where: 'full',
    keys: '3',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/incidents/IncidentBoard.vue')),
  },
  {
    id: 'medevac',
    title: 'staffMedevac.title',
    icon: 'heart',
    where: 'full',
    keys: '8',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/medevac/MedevacBoard.vue')),
  },
  {
    id: 'questions',
    title: 'staffQuestions.title',
    icon: 'help',
    where: 'full',
    keys: '9',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/questions/QuestionBoard.vue')),
  },
  {
    id: 'intel',
    title: 'intel.title',
    icon: 'eye',
    where: 'full',
    keys: 'shift+i',
    live_only: true,
    part: defineAsyncComponent(() => import('../intel/IntelBoard.vue')),
  },
  {
    id: 'orders',
    title: 'staffOrders.title',
    icon: 'book',
    where: 'full',
    keys: 'shift+o',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/orders/OrderBoard.vue')),
  },
  {
    id: 'tasks',
    title: 'staffTasks.title',
    icon: 'task',
    where: 'full',
    keys: 'shift+t',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/tasks/TaskBoard.vue')),
  },
  {
    id: 'handover',
    title: 'staffHandover.title',
    icon: 'user',
    where: 'full',
    keys: 'shift+h',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/handover/HandoverBoard.vue')),
  },
  {
    id: 'reports',
    title: 'staffReports.title',
    icon: 'file',
    where: 'full',
    keys: 'shift+r',
    live_only: true,
    part: defineAsyncComponent(() => import('../staff/reports/ReportBoard.vue')),
  },
]

/** Those that a post wants first, in its order, then the others as they stand. */
export function inOrder(list: readonly Workspace[], first: readonly string[]): Workspace[] {
  const place = (one: Workspace) => (first.includes(one.id) ? first.indexOf(one.id) : first.length)
  return [...list].sort((a, b) => place(a) - place(b))
}
