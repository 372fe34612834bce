// Names for what the API takes and answers; `schema.ts` is made from its OpenAPI document, see README.md.
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type GenerationRequest = Schemas["GenerationRequest"];
export type Track = Schemas["Track"];
export type ListedTrack = Schemas["ListedTrack"];
export type TrackPlan = Schemas["Plan"];
export type Progress = Schemas["Progress"];
export type Model = Schemas["Model"];
export type Style = Schemas["Style"];
export type ErrorAnswer = Schemas["Error"];
/** Field -> what is wrong with it. */
export type FieldErrors = ErrorAnswer["errors"];
