/** What this page did and can take back, by writing the opposite: the journal itself forgets nothing. */
import { computed, shallowRef } from 'vue'

export interface Step {
  /** A catalogue key, and its values: what was done. */
  title: string
  words?: Record<string, string>
  /** Both answer whether it worked; a refusal was then already shown. */
  undo(): Promise<boolean>
  redo(): Promise<boolean>
}

/** Steps kept; older ones can no longer be taken back from here. */
export const UNDO_LIMIT = 50

export class UndoStack {
  private readonly done = shallowRef<readonly Step[]>([])
  private readonly undone = shallowRef<readonly Step[]>([])
  private busy = false
  /** The step that undo would take back, and the one that redo would do again; null for none. */
  readonly next_undo = computed(() => this.done.value.at(-1) ?? null)
  readonly next_redo = computed(() => this.undone.value.at(-1) ?? null)

  /** A step was done; whatever was undone before cannot be done again. */
  did(step: Step): void {
    this.done.value = [...this.done.value, step].slice(-UNDO_LIMIT)
    this.undone.value = []
  }

  /** Takes the last step back and answers it; null when there is none, it failed, or one is under way. */
  async undo(): Promise<Step | null> {
    const step = this.next_undo.value
    if (!step || this.busy) return null
    if (!(await this.run(() => step.undo()))) return null
    this.done.value = this.done.value.filter((one) => one !== step)
    this.undone.value = [...this.undone.value, step]
    return step
  }

  async redo(): Promise<Step | null> {
    const step = this.next_redo.value
    if (!step || this.busy) return null
    if (!(await this.run(() => step.redo()))) return null
    this.undone.value = this.undone.value.filter((one) => one !== step)
    this.done.value = [...this.done.value, step]
    return step
  }

  private async run(work: () => Promise<boolean>): Promise<boolean> {
    this.busy = true
    try {
      return await work()
    } finally {
      this.busy = false
    }
  }
}
