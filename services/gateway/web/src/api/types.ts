import type { paths } from "./schema";

/** Names for what the gateway sends, taken from the operations so that renamed schemas do not matter here. */
type Json<R> = R extends { content: { "application/json": infer Body } } ? Body : never;

export type Config = Json<paths["/v1/config"]["get"]["responses"][200]>;
export type Attempt = Json<paths["/v1/attempts/{attempt_id}"]["get"]["responses"][200]>;
export type Session = Json<paths["/v1/session"]["get"]["responses"][200]>;
export type Profile = Json<paths["/v1/me"]["get"]["responses"][200]>;
export type StepUp = Json<paths["/v1/step-ups/{step_up_id}"]["get"]["responses"][200]>;
export type Authenticators = Json<paths["/v1/me/authenticators"]["get"]["responses"][200]>;
export type Authenticator = Authenticators["authenticators"][number];
export type Enrolment = Json<paths["/v1/me/authenticators"]["post"]["responses"][201]>;
export type Sessions = Json<paths["/v1/sessions"]["get"]["responses"][200]>;
export type SessionItem = Sessions["sessions"][number];
export type Activity = Json<paths["/v1/me/activity"]["get"]["responses"][200]>;
export type ActivityItem = Activity["events"][number];

/** One answer per wrong field, as the gateway names it. */
export interface FieldError {
  field: string;
  message: string;
}

/** The body of a refusal: RFC 9457 plus our members. Everything but `code` and `status` may be missing. */
export interface ProblemBody {
  status: number;
  code: string;
  title?: string;
  detail?: string;
  request_id?: string;
  errors?: FieldError[];
  attempts_left?: number;
  retry_after?: number;
  resend_at?: string;
  next?: string;
}
