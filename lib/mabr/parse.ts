/**
 * Reads gateway configuration documents as they are met on the air, not as they should be.
 *
 * Elements count by local name in any `MulticastSessionConfiguration` namespace; those of other
 * namespaces are extensions and skipped (ETSI TS 103 769 Annex A.1). A session that cannot be used is
 * left out with a remark and never costs the rest of the document.
 *
 * @module
 */

import { childrenNamed, parseUnsigned, readXml, type XmlElement, type XmlRejection } from "#xml";
import type {
  ConfigurationMacro,
  GatewayConfiguration,
  MulticastGatewayConfigurationTransportSession,
  MulticastSession,
  MulticastTransportSession,
  PresentationManifestLocator,
  ReportingLocator,
  ServiceComponentIdentifier,
} from "./model.ts";
import { TransportSessionReader } from "./parse_transport.ts";
import { parseDuration, parseTimePoint } from "./time.ts";
import { optional } from "./values.ts";

/** Why a document was refused as a whole. */
export type MabrRejection = XmlRejection | "wrong_root";

/** Why a part of a document was left out. */
export type MabrSkipReason =
  | "no_service_identifier"
  | "no_manifest_id"
  | "no_manifest_road"
  | "no_session_id"
  | "no_protocol"
  | "unknown_protocol"
  | "no_endpoint"
  | "unknown_component_type";

/** A part that was left out: the reason, and which one it was in the document's own words. */
export interface MabrRemark {
  readonly reason: MabrSkipReason;
  /** Element name and its identifier or place, for example `MulticastTransportSession v1`. */
  readonly subject: string;
}

/** A configuration and what the reader left out of it. */
export interface ParsedGatewayConfiguration extends GatewayConfiguration {
  readonly remarks: readonly MabrRemark[];
}

/** A satellite's whole configuration takes about 90 KB; a stranger's may not take more than this. */
const limits = { maxLength: 2 ** 20, maxDepth: 16 };

const family = "urn:dvb:metadata:MulticastSessionConfiguration:";

/**
 * Reads a `MulticastGatewayConfiguration`, full or bootstrap.
 *
 * @param document Text, or bytes in UTF-8.
 * @returns The reason in one word when nothing of it can be used. Never throws.
 */
export function parseGatewayConfiguration(
  document: string | Uint8Array,
): ParsedGatewayConfiguration | MabrRejection {
  const root = readXml(document, limits);
  if (typeof root === "string") return root;
  if (root.name !== "MulticastGatewayConfiguration") return "wrong_root";
  return new Reader().configuration(withoutForeign(root, root.namespace));
}

function withoutForeign(element: XmlElement, rootNamespace: string): XmlElement {
  const children = element.children
    .filter(({ namespace }) => namespace === rootNamespace || namespace.startsWith(family))
    .map((child) => withoutForeign(child, rootNamespace));
  return { ...element, children };
}

/** Walks one document and gathers the remarks. */
class Reader {
  readonly #remarks: MabrRemark[] = [];
  readonly #transport = new TransportSessionReader((reason, subject) =>
    this.#remarks.push({ reason, subject })
  );

  configuration(root: XmlElement): ParsedGatewayConfiguration {
    const { attributes } = root;
    return {
      ...optional({
        schemaVersion: parseUnsigned(attributes.get("schemaVersion")),
        validityPeriodMs: parseDuration(attributes.get("validityPeriod") ?? ""),
        validUntilMs: parseTimePoint(attributes.get("validUntil") ?? ""),
        reportingLocators: reportingLocators(root),
      }),
      multicastGatewayConfigurationTransportSessions: this.#each(
        root,
        "MulticastGatewayConfigurationTransportSession",
        (element, subject) => this.#configurationSession(element, subject),
      ),
      multicastSessions: this.#each(
        root,
        "MulticastSession",
        (element, subject) => this.#multicastSession(element, subject),
      ),
      remarks: this.#remarks,
    };
  }

  #configurationSession(
    element: XmlElement,
    subject: string,
  ): MulticastGatewayConfigurationTransportSession | undefined {
    const common = this.#transport.read(element, subject);
    if (common === undefined) return undefined;
    const tags = element.attributes.get("tags")?.split(/\s+/).filter((tag) => tag !== "");
    return {
      ...common,
      ...optional({ tags, multicastGatewayConfigurationMacros: macros(element) }),
    };
  }

  #multicastSession(element: XmlElement, subject: string): MulticastSession | undefined {
    const { attributes } = element;
    const serviceIdentifier = attributes.get("serviceIdentifier");
    if (!serviceIdentifier) return this.#skip("no_service_identifier", subject);
    return {
      serviceIdentifier,
      ...optional({
        contentPlaybackAvailabilityOffsetMs: parseDuration(
          attributes.get("contentPlaybackAvailabilityOffset") ?? "",
        ),
        reportingLocators: reportingLocators(element),
      }),
      presentationManifestLocators: this.#each(
        element,
        "PresentationManifestLocator",
        (locator, subject) => this.#manifestLocator(locator, subject),
      ),
      multicastTransportSessions: this.#each(
        element,
        "MulticastTransportSession",
        (session, subject) => this.#transportSession(session, subject),
      ),
    };
  }

  #manifestLocator(
    { attributes, text }: XmlElement,
    subject: string,
  ): PresentationManifestLocator | undefined {
    const manifestId = attributes.get("manifestId");
    const contentType = attributes.get("contentType");
    if (!manifestId || !contentType) return this.#skip("no_manifest_id", subject);
    const contentPlaybackPathPattern = attributes.get("contentPlaybackPathPattern") || undefined;
    const transportObjectURI = attributes.get("transportObjectURI") || undefined;
    if (text === "" && !contentPlaybackPathPattern && !transportObjectURI) {
      return this.#skip("no_manifest_road", subject);
    }
    return {
      manifestId,
      contentType,
      ...optional({ transportObjectURI, contentPlaybackPathPattern }),
      url: text,
    };
  }

  #transportSession(element: XmlElement, subject: string): MulticastTransportSession | undefined {
    const { attributes } = element;
    const id = attributes.get("id");
    if (!id) return this.#skip("no_session_id", subject);
    const common = this.#transport.read(element, subject);
    if (common === undefined) return undefined;
    const mode = attributes.get("transmissionMode");
    return {
      id,
      ...common,
      ...optional({
        startMs: parseTimePoint(attributes.get("start") ?? ""),
        durationMs: parseDuration(attributes.get("duration") ?? ""),
        transmissionMode: mode === "resource" || mode === "chunked" ? mode : undefined,
      }),
      serviceComponentIdentifiers: this.#each(
        element,
        "ServiceComponentIdentifier",
        (component, subject) =>
          componentIdentifier(component) ?? this.#skip("unknown_component_type", subject),
      ),
    };
  }

  /** Reads each child of that name; those that give `undefined` are left out. */
  #each<T>(
    parent: XmlElement,
    name: string,
    read: (child: XmlElement, subject: string) => T | undefined,
  ): T[] {
    return childrenNamed(parent, name)
      .map((child, place) => read(child, `${name} ${identifier(child) ?? `#${place + 1}`}`))
      .filter((value) => value !== undefined);
  }

  #skip(reason: MabrSkipReason, subject: string): undefined {
    this.#remarks.push({ reason, subject });
  }
}

/** What an element is known by, cut to a length that is fit for a log. */
function identifier({ attributes }: XmlElement): string | undefined {
  const value = attributes.get("serviceIdentifier") ?? attributes.get("manifestId") ??
    attributes.get("id") ?? attributes.get("manifestIdRef");
  return value?.slice(0, 128);
}

function macros(element: XmlElement): ConfigurationMacro[] | undefined {
  const found = childrenNamed(element, "MulticastGatewayConfigurationMacro")
    .map(({ attributes, text }) => ({ key: attributes.get("key") ?? "", value: text }))
    .filter(({ key }) => key !== "");
  return found.length === 0 ? undefined : found;
}

function reportingLocators(parent: XmlElement): ReportingLocator[] | undefined {
  const locators = childrenNamed(parent, "MulticastGatewaySessionReporting")
    .flatMap((reporting) => childrenNamed(reporting, "ReportingLocator"))
    .map(({ attributes, text }) => {
      const proportion = Number(attributes.get("proportion") ?? 1);
      return {
        url: text,
        proportion: proportion > 0 && proportion <= 1 ? proportion : 1,
        periodMs: parseDuration(attributes.get("period") ?? "") ?? 0,
        randomDelayMs: parseUnsigned(attributes.get("randomDelay")) ?? 0,
        reportSessionRunningEvents: attributes.get("reportSessionRunningEvents") === "true",
      };
    })
    .filter(({ url }) => url !== "");
  return locators.length === 0 ? undefined : locators;
}

function componentIdentifier(element: XmlElement): ServiceComponentIdentifier | undefined {
  const attribute = (name: string) => element.attributes.get(name) ?? "";
  const manifestIdRef = attribute("manifestIdRef");
  switch (attribute("type").split(":").at(-1)) {
    case "DASHComponentIdentifierType":
      return {
        type: "dash",
        manifestIdRef,
        periodIdentifier: attribute("periodIdentifier"),
        adaptationSetIdentifier: attribute("adaptationSetIdentifier"),
        representationIdentifier: attribute("representationIdentifier"),
      };
    case "HLSComponentIdentifierType":
      return {
        type: "hls",
        manifestIdRef,
        mediaPlaylistLocator: attribute("mediaPlaylistLocator"),
      };
    case "GenericComponentIdentifierType":
      return {
        type: "generic",
        manifestIdRef,
        componentIdentifier: attribute("componentIdentifier"),
      };
  }
}
