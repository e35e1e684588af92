/** What a task is called, in the reader's language where the node called it: by its verb, with its id in the order before. */
import { saidWord } from '../../acts/said'
import { pageI18n } from '../../i18n'

export function titleOf({ title, verb }: { title?: string; verb: string }): string {
  const { t, te } = pageI18n().global
  if (!title) return te(`act.verb.${verb}`) ? t(`act.verb.${verb}`) : verb
  const [id, ...words] = title.split(' ')
  return words.length ? `${id} ${saidWord('verb', words.join(' '))}` : title
}
