/** Posts as people call them: those that we know in the reader's language, others as they are written. */
import { useI18n } from 'vue-i18n'

export const POSTS: ReadonlySet<string> = new Set([
  'watch_officer', 'duty_officer', 'chief_of_operations', 'commander', 'company_commander', 'patrol_leader', 'intelligence_officer', 'logistics_officer', 'medical_officer', 'liaison_officer', 'exercise_control', 'system_administrator',
])

export function usePosts(): (role: string) => string {
  const { t } = useI18n()
  return (role) => (POSTS.has(role) ? t(`act.post.${role}`) : role.replaceAll('_', ' '))
}
