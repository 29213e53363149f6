package org.slotwise.layer;

import java.util.List;
import org.slotwise.layer.NormedStack.Stage;
import org.slotwise.torchscript.ScriptModule;

/**
 * The equations of a {@link NormedStack} as PyTorch's {@code Sequential}, whose activations and
 * shuffles count.
 *
 * <p>An activation stands before the shuffle, which changes no number, and takes the place of what
 * it is of.
 */
final class NormedStackScript {

    private final List<Stage> stages;
    private final ScriptModule.Builder module = ScriptModule.builder("Sequential");
    private final StringBuilder code = new StringBuilder();

    private NormedStackScript(List<Stage> stages) {
        this.stages = stages;
    }

    static ScriptModule of(List<Stage> stages) {
        return new NormedStackScript(stages).build();
    }

    private ScriptModule build() {
        boolean maps = stages.get(0).map() instanceof Convolution;
        boolean shuffled = stages.stream().anyMatch(stage -> stage.shuffle() != null);
        for (Stage stage : stages) {
            boolean first = shuffled && stage.number() == 0;
            module.module(Integer.toString(stage.number()), map(stage, first));
            if (stage.norm() != null) {
                module.module(Integer.toString(stage.normNumber()), stage.norm().script());
            }
        }
        code.append("def forward(self, x: Tensor) -> Tensor:\n");
        stages.forEach(stage -> stage(stage, call(stage, "forward", "x")));
        code.append("  return x\n");
        if (shuffled) {
            place();
        } else if (maps) {
            places();
        }
        return module.setCode(code.toString()).build();
    }

    private static ScriptModule map(Stage stage, boolean rows) {
        return stage.map() instanceof Convolution convolution && (rows || convolution.isPointwise())
                ? convolution.scriptOfRows()
                : ScriptModule.of("NormedStack", stage.map());
    }

    private static String call(Stage stage, String method, String x) {
        String self = ScriptModule.self(Integer.toString(stage.number()));
        return self + "." + method + "(" + x + ")";
    }

    /** x = norm(shuffle(celu(map))) */
    private void stage(Stage stage, String map) {
        activated(stage, map);
        if (stage.shuffle() != null) {
            line("torch.pixel_shuffle(x, " + stage.shuffle().factor() + ")");
        }
        normed(stage, "x");
    }

    private void activated(Stage stage, String map) {
        line(stage.norm() == null ? map : "torch.elu_(" + map + ")");
    }

    private void normed(Stage stage, String x) {
        if (stage.norm() != null) {
            String self = ScriptModule.self(Integer.toString(stage.normNumber()));
            line(self + ".forward(" + x + ")");
        }
    }

    private void line(String expression) {
        code.append("  x = ").append(expression).append('\n');
    }

    /** Of maps of one place the first convolution is a linear map, whose channels lie as places. */
    private void place() {
        Stage first = stages.get(0);
        code.append("def place(self, x: Tensor) -> Tensor:\n");
        activated(first, call(first, "rows", "x"));
        int factor = first.shuffle() == null ? 1 : first.shuffle().factor();
        line("torch.reshape(x, [torch.size(x, 0), -1, %s, %s])".formatted(factor, factor));
        normed(first, "x");
        stages.stream().skip(1).forEach(stage -> stage(stage, call(stage, "forward", "x")));
        code.append("  return x\n");
    }

    /** With channels last, where a kernel of 1 is a linear map of rows. */
    private void places() {
        code.append("def places(self, x: Tensor) -> Tensor:\n");
        for (Stage stage : stages) {
            boolean rows = ((Convolution) stage.map()).isPointwise();
            if (rows) {
                code.append("  b = torch.size(x, 0)\n");
                code.append("  h = torch.size(x, 1)\n");
                code.append("  w = torch.size(x, 2)\n");
                activated(stage, call(stage, "rows", "torch.flatten(x, 0, 2)"));
                line("torch.view(x, [b, h, w, -1])");
                if (stage.norm() != null) {
                    normed(stage, "torch.permute(x, [0, 3, 1, 2])");
                    line("torch.permute(x, [0, 2, 3, 1])");
                }
            } else {
                String map = call(stage, "forward", "torch.permute(x, [0, 3, 1, 2])");
                activated(stage, map);
                normed(stage, "x");
                line("torch.permute(x, [0, 2, 3, 1])");
            }
        }
        code.append("  return x\n");
    }
}
