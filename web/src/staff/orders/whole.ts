/** An order with all its fields: the node leaves out what has its default. */
import type { Order } from '../../api.generated'

/** The paragraphs with their texts, in the order of FM 5-0. */
export const PARAGRAPHS = {
  situation: ['threat', 'higher', 'adjacent', 'area_of_operations', 'area_of_interest', 'terrain', 'weather', 'civil', 'other_organisations', 'attachments', 'assumptions'],
  mission: ['who', 'what', 'when', 'where', 'why'],
  execution: ['purpose', 'key_tasks', 'end_state', 'concept', 'movement', 'surveillance', 'protection', 'civil', 'timeline', 'information_requirements', 'airspace', 'risk', 'personnel_recovery', 'environment', 'assessment', 'other'],
  sustainment: ['logistics', 'personnel', 'health'],
  command_signal: ['command', 'succession', 'liaison', 'posts', 'reports', 'pace', 'nets'],
} as const
export type Paragraph = keyof typeof PARAGRAPHS
/** Said as a list, one line each. */
export const LISTS: ReadonlySet<string> = new Set(['pace', 'nets'])
/** The node leaves out what has its default; here everything stands there. */
export function whole(order: Order): Order {
  const empty = (paragraph: Paragraph) => Object.fromEntries(PARAGRAPHS[paragraph].map((name) => [name, LISTS.has(name) ? [] : '']))
  return {
    ...{ number: '', issuing_hq: '', place: '', time_zone: '', code_name: '', references: [], task_organisation: [], phases: [], tasks: [], annexes: [], overlay: [], graphics: [], distribution: [], changes: [] },
    ...{ order_ref: null, effective_ms: null, remind_after_min: 15, escalate_after_min: 30, escalate_to: 'duty_officer' },
    ...order,
    phases: (order.phases ?? []).map((one) => ({ ...{ start_ms: null, end_ms: null, text: '' }, ...one })),
    tasks: (order.tasks ?? []).map((one) => ({ ...{ text: '', purpose: '', priority: 5, phase: null, start_ms: null, end_ms: null, area: null, place: null, success: '', watch: [] }, ...one })),
    graphics: (order.graphics ?? []).map((one) => ({ ...{ radius_m: null, sidc: null, stroke: null, drawing: null }, ...one })),
    situation: { ...empty('situation'), ...order.situation } as Order['situation'],
    mission: { ...empty('mission'), ...order.mission } as Order['mission'],
    execution: { ...empty('execution'), ...order.execution } as Order['execution'],
    sustainment: { ...empty('sustainment'), ...order.sustainment } as Order['sustainment'],
    command_signal: { ...empty('command_signal'), ...order.command_signal } as Order['command_signal'],
    warning: { ...{ earliest_move_ms: null, preparation: '', rehearsals: '', order_at_ms: null, order_place: '', special: '' }, ...order.warning },
  }
}
