/**
 * Server reflection, v1 and v1alpha, over descriptors with all their options: the servicer of @grpc/reflection loses those
 * that it does not know, such as the rules of fields. The messages on the wire are that package's.
 */

import { createRequire } from "node:module";
import path from "node:path";
import {
  create,
  createFileRegistry,
  type DescFile,
  type DescService,
  type FileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { type Server, type ServerDuplexStream, type ServiceDefinition, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { HEALTH } from "./health.js";

const VERSIONS = ["v1", "v1alpha"] as const;
const NAMES = VERSIONS.map((version) => `grpc.reflection.${version}.ServerReflection`);

interface Request {
  readonly host: string;
  readonly messageRequest?: string;
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
  readonly fileContainingExtension?: { containingType: string; extensionNumber: number };
  readonly allExtensionNumbersOfType?: string;
}

class Unknown extends Error {}

/** Answers for the service, health and itself. */
export function addReflection(server: Server, service: DescService): void {
  const definitions = VERSIONS.map(load);
  const protos = [...filesOf(service.file), ...[...definitions, HEALTH].flatMap(protosOf)];
  const named = new Map(protos.map((proto) => [proto.name, proto]));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(named) }));
  const services = [service.typeName, "grpc.health.v1.Health", ...NAMES];
  const answering = {
    ServerReflectionInfo: (stream: ServerDuplexStream<Request, object>) => {
      stream.on("data", (request: Request) => stream.write(answered(request, registry, services)));
      stream.on("end", () => stream.end());
    },
  };
  for (const definition of definitions) server.addService(definition, answering);
}

function load(version: (typeof VERSIONS)[number]): ServiceDefinition {
  const main = createRequire(import.meta.url).resolve("@grpc/reflection");
  const file = path.join(path.dirname(main), `../proto/grpc/reflection/${version}/reflection.proto`);
  const loaded = loadSync(file, { longs: String, enums: String, bytes: Buffer, defaults: true, oneofs: true });
  return loaded[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition;
}

function protosOf(definition: ServiceDefinition): FileDescriptorProto[] {
  const types = Object.values(definition).map(
    (method) => (method as unknown as { requestType: { fileDescriptorProtos: Buffer[] } }).requestType,
  );
  return types.flatMap((type) =>
    type.fileDescriptorProtos.map((bytes) => absolute(fromBinary(FileDescriptorProtoSchema, bytes))),
  );
}

/** The same with whole names of types: those that proto-loader gives are relative, which descriptors may not be. */
function absolute(file: FileDescriptorProto): FileDescriptorProto {
  const known = new Set<string>();
  const visit = (
    types: readonly DescriptorProto[],
    scope: string,
    see: (type: DescriptorProto, name: string) => void,
  ) => {
    for (const type of types) {
      see(type, `${scope}.${type.name}`);
      visit(type.nestedType, `${scope}.${type.name}`, see);
    }
  };
  const whole = (name: string, scope: string): string => {
    for (let outer = scope; outer !== ""; outer = outer.slice(0, outer.lastIndexOf("."))) {
      if (known.has(`${outer}.${name}`)) return `${outer}.${name}`;
    }
    return name;
  };
  const root = `.${file.package}`;
  visit(file.messageType, root, (type, name) => {
    known.add(name);
    for (const each of type.enumType) known.add(`${name}.${each.name}`);
  });
  visit(file.messageType, root, (type, name) => {
    for (const field of type.field) field.typeName = whole(field.typeName, name);
  });
  for (const method of file.service.flatMap((service) => service.method)) {
    method.inputType = whole(method.inputType, root);
    method.outputType = whole(method.outputType, root);
  }
  return file;
}

function filesOf(file: DescFile): FileDescriptorProto[] {
  return [...file.dependencies.flatMap(filesOf), file.proto];
}

/** Each file after those that it imports. */
function inOrder(named: Map<string, FileDescriptorProto>): FileDescriptorProto[] {
  const done = new Map<string, FileDescriptorProto>();
  const add = (proto: FileDescriptorProto | undefined) => {
    if (!proto || done.has(proto.name)) return;
    for (const name of proto.dependency) add(named.get(name));
    done.set(proto.name, proto);
  };
  for (const proto of named.values()) add(proto);
  return [...done.values()];
}

function answered(request: Request, registry: FileRegistry, services: readonly string[]): object {
  const about = { validHost: request.host, originalRequest: request };
  try {
    return { ...about, ...found(request, registry, services) };
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    return { ...about, errorResponse: { errorCode: status.NOT_FOUND, errorMessage: error.message } };
  }
}

function found(request: Request, registry: FileRegistry, services: readonly string[]): object {
  switch (request.messageRequest) {
    case "listServices":
      return { listServicesResponse: { service: services.map((name) => ({ name })) } };
    case "fileByFilename":
      return described(fileNamed(request.fileByFilename ?? "", registry));
    case "fileContainingSymbol":
      return described(fileWith(request.fileContainingSymbol ?? "", registry));
    case "fileContainingExtension": {
      const { containingType = "", extensionNumber = 0 } = request.fileContainingExtension ?? {};
      return described(extensionsOf(containingType, registry).find((each) => each.number === extensionNumber)?.file);
    }
    case "allExtensionNumbersOfType": {
      const baseTypeName = request.allExtensionNumbersOfType ?? "";
      if (!registry.getMessage(baseTypeName)) throw new Unknown(`there is no type ${baseTypeName} here`);
      const extensionNumber = extensionsOf(baseTypeName, registry).map((each) => each.number);
      return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } };
    }
    default:
      return { errorResponse: { errorCode: status.UNIMPLEMENTED, errorMessage: "not a request of reflection" } };
  }
}

function fileNamed(name: string, registry: FileRegistry): DescFile | undefined {
  return registry.getFile(name);
}

/** A symbol is a type or a service, or a part of one: shop.catalog.v1.CatalogService.GetProduct. */
function fileWith(symbol: string, registry: FileRegistry): DescFile | undefined {
  const whole = symbol.replace(/\.[^.]*$/, "");
  return registry.get(symbol)?.file ?? registry.get(whole)?.file;
}

function extensionsOf(type: string, registry: FileRegistry) {
  return [...registry].filter((each) => each.kind === "extension").filter((each) => each.extendee.typeName === type);
}

/** The file and all that it imports. */
function described(file: DescFile | undefined): object {
  if (!file) throw new Unknown("there is no such thing here; list_services names what there is");
  const protos = new Map(filesOf(file).map((proto) => [proto.name, proto]));
  const own = [file.proto, ...[...protos.values()].filter((proto) => proto.name !== file.proto.name)];
  const fileDescriptorProto = own.map((proto) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
  return { fileDescriptorResponse: { fileDescriptorProto } };
}
