package org.slotwise.torchscript;

import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The source of a module's classes, as {@code torch.jit.save} writes it. */
final class ScriptSource {

    /** The method of a {@link #kept} class that takes parameters' values from a list. */
    static final String KEEP = "keep_parameters";

    private final ScriptModule module;
    private final Map<ScriptModule, String> classes = new LinkedHashMap<>();
    private final boolean kept;
    private final List<Parameter> parameters = new ArrayList<>();

    /** The source of a file: what is learnt is a parameter. */
    ScriptSource(ScriptModule module) {
        this(module, false);
    }

    private ScriptSource(ScriptModule module, boolean kept) {
        this.module = module;
        this.kept = kept;
        name(module, new HashSet<>());
    }

    /** The source of a module whose parameters are given to it by {@link #KEEP}. */
    static ScriptSource kept(ScriptModule module) {
        return new ScriptSource(module, true);
    }

    /** A class for each module, modules inside before those that have them. */
    Map<ScriptModule, String> classes() {
        return classes;
    }

    /** The text of all classes. */
    String text() {
        parameters.clear();
        StringBuilder source = new StringBuilder();
        source(module, source);
        return source.toString();
    }

    /** The parameters in the order in which {@link #KEEP} of the {@link #text} takes them. */
    List<Parameter> parameters() {
        return parameters;
    }

    private void name(ScriptModule one, Set<String> taken) {
        one.modules().values().forEach(inside -> name(inside, taken));
        String name = one.type();
        for (int i = 1; !taken.add(name); i++) {
            name = one.type() + "_" + i;
        }
        classes.put(one, name);
    }

    private void source(ScriptModule one, StringBuilder source) {
        one.modules().values().forEach(inside -> source(inside, source));
        source.append("class ").append(classes.get(one)).append("(Module):\n");
        source.append("  __parameters__ = ").append(names(one, true)).append('\n');
        source.append("  __buffers__ = ").append(names(one, false)).append('\n');
        one.parameters()
                .keySet()
                .forEach(name -> source.append(attribute(name)).append("Tensor\n"));
        if (kept) {
            one.settled().forEach(name -> source.append(attribute(name)).append("Tensor\n"));
        }
        source.append("  training : bool\n");
        one.modules()
                .forEach(
                        (name, inside) ->
                                source.append(attribute(name))
                                        .append("__torch__.")
                                        .append(classes.get(inside))
                                        .append('\n'));
        source.append(one.code().indent(2));
        if (kept) {
            source.append(one.inference().indent(2));
            keep(one, source);
        }
    }

    /** How a module takes its parameters, and those of modules inside, from a list. */
    private void keep(ScriptModule one, StringBuilder source) {
        source.append("  def " + KEEP + "(self, values: List[Tensor]) -> NoneType:\n");
        one.parameters()
                .forEach(
                        (name, parameter) -> {
                            source.append(
                                    "    self.%s = values[%s]\n"
                                            .formatted(name, parameters.size()));
                            parameters.add(parameter);
                        });
        one.modules()
                .keySet()
                .forEach(
                        name ->
                                source.append(
                                        "    _ = "
                                                + ScriptModule.self(name)
                                                + "."
                                                + KEEP
                                                + "(values)\n"));
        if (!one.settled().isEmpty()) {
            source.append("    _ = self.settle()\n");
        }
        source.append("    return None\n");
    }

    /** A list as the format has it, with a comma after each. */
    private String names(ScriptModule one, boolean learnt) {
        List<String> names = new ArrayList<>();
        one.parameters()
                .forEach(
                        (name, parameter) -> {
                            if (!kept && parameter.requiresGradient() == learnt) {
                                names.add('"' + name + "\", ");
                            }
                        });
        return "[" + String.join("", names) + "]";
    }

    private static String attribute(String name) {
        return ScriptModule.isNumber(name)
                ? "  __annotations__[\"" + name + "\"] = "
                : "  " + name + " : ";
    }
}
