package org.slotwise;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.nn.Activation;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules of the house: docs/architecture.md tells why. */
class HouseRulesTest {

    private static final JavaClasses MAIN =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages("org.slotwise");

    /** What saves a number's Java buffer in the graph: gradients turn to garbage (docs/djl.md). */
    private static final Set<String> UNSAFE_WITH_NUMBERS =
            Set.of(
                    "mul",
                    "muli",
                    "div",
                    "divi",
                    "pow",
                    "powi",
                    "maximum",
                    "minimum",
                    "toRadians",
                    "scaleGradient");

    private static final DescribedPredicate<JavaCall<?>> ARITHMETIC_WITH_NUMBERS =
            DescribedPredicate.describe(
                    "arithmetic of arrays with numbers",
                    call -> {
                        var target = call.getTarget();
                        boolean arrays =
                                target.getOwner().isAssignableTo(NDArray.class)
                                        || target.getOwner().isEquivalentTo(NDArrays.class);
                        boolean number =
                                target.getRawParameterTypes().stream()
                                        .anyMatch(type -> type.isEquivalentTo(Number.class));
                        boolean unsafe = UNSAFE_WITH_NUMBERS.contains(target.getName());
                        boolean always =
                                Set.of("toRadians", "scaleGradient").contains(target.getName());
                        boolean swish =
                                target.getOwner().isEquivalentTo(Activation.class)
                                        && target.getName().equals("swish");
                        return (arrays && unsafe && (number || always)) || swish;
                    });

    private static final ArchRule NO_ARITHMETIC_WITH_NUMBERS =
            noClasses().should().callCodeUnitWhere(ARITHMETIC_WITH_NUMBERS);

    @Test
    void noArithmeticWithNumbers() {
        NO_ARITHMETIC_WITH_NUMBERS
                .because("a garbage collection before backward ruins the gradient; use Scalars")
                .check(MAIN);
    }

    @Test
    void theRuleOnNumbersFindsThem() {
        JavaClasses bad = new ClassFileImporter().importClasses(Offender.class);
        assertThrows(AssertionError.class, () -> NO_ARITHMETIC_WITH_NUMBERS.check(bad));
    }

    private static final ArchRule NO_CLIP =
            noClasses().should().callMethod(NDArray.class, "clip", Number.class, Number.class);

    @Test
    void noClip() {
        NO_CLIP.because("it leaves its bounds, and reads them back from a GPU; use Ops.clampMin")
                .check(MAIN);
        JavaClasses bad = new ClassFileImporter().importClasses(Offender.class);
        assertThrows(AssertionError.class, () -> NO_CLIP.check(bad));
    }

    /** For {@link #theRuleOnNumbersFindsThem} and {@link #noClip} alone. */
    @SuppressWarnings("UnusedMethod")
    private static final class Offender {
        static NDArray half(NDArray x) {
            return x.mul(0.5f);
        }

        static NDArray unit(NDArray x) {
            return x.clip(0, 1);
        }
    }

    @Test
    void noCycles() {
        slices().matching("org.slotwise.(**)").should().beFreeOfCycles().check(MAIN);
    }

    /** What each package may know of ours, beside itself. The picture: docs/architecture.md. */
    private static final Map<String, Set<String>> ARROWS =
            Map.ofEntries(
                    entry("internal"),
                    entry("build", "internal"),
                    entry("torchscript", "internal"),
                    entry("layer", "torchscript", "internal"),
                    entry("clustering", "torchscript", "internal"),
                    entry("position", "layer", "torchscript", "internal"),
                    entry(
                            "grouping",
                            "clustering",
                            "layer",
                            "position",
                            "torchscript",
                            "weights",
                            "internal"),
                    entry("conditioning", "grouping", "layer", "torchscript", "internal"),
                    entry(
                            "encoder",
                            "grouping",
                            "layer",
                            "position",
                            "torchscript",
                            "unet",
                            "weights",
                            "internal"),
                    entry("decoder", "grouping", "layer", "position", "torchscript", "internal"),
                    entry("quantization", "layer", "internal"),
                    entry("unet", "layer", "torchscript", "weights", "internal"),
                    entry("autoencoder", "layer", "weights", "internal"),
                    entry("diffusion", "unet", "weights", "internal"),
                    entry("slate", "grouping", "layer", "position", "internal"),
                    entry("gnm", "layer", "matching", "metric", "torchscript", "internal"),
                    entry("data", "internal"),
                    entry("data.generated", "data", "internal"),
                    entry("data.file", "data", "internal"),
                    entry("matching", "internal"),
                    entry("loss", "data", "matching", "internal"),
                    entry("metric", "data", "matching", "internal"),
                    entry("weights", "internal"),
                    entry("distance", "data", "encoder", "grouping", "weights", "internal"),
                    entry("composition", "clustering", "decoder", "image", "weights", "internal"),
                    entry("training", "loss", "metric", "weights", "internal"),
                    entry("image", "data", "data.file", "grouping", "decoder", "internal"),
                    entry(
                            "model",
                            "autoencoder",
                            "clustering",
                            "conditioning",
                            "data",
                            "decoder",
                            "diffusion",
                            "encoder",
                            "gnm",
                            "grouping",
                            "image",
                            "internal",
                            "layer",
                            "loss",
                            "metric",
                            "position",
                            "training",
                            "weights",
                            "torchscript",
                            "unet"));

    private static Map.Entry<String, Set<String>> entry(String own, String... known) {
        return Map.entry(own, Set.of(known));
    }

    private static String room(JavaClass c) {
        String name = c.getPackageName();
        return name.startsWith("org.slotwise.") ? name.substring("org.slotwise.".length()) : "";
    }

    @Test
    void packagesKnowOnlyWhatTheyAreMadeOf() {
        Set<String> faults = new TreeSet<>();
        for (JavaClass c : MAIN) {
            Set<String> known = ARROWS.get(room(c));
            if (known == null) {
                faults.add(c.getPackageName() + " has no entry in the table of arrows");
                continue;
            }
            for (Dependency dependency : c.getDirectDependenciesFromSelf()) {
                String to = room(dependency.getTargetClass().getBaseComponentType());
                if (!to.isEmpty() && !to.equals(room(c)) && !known.contains(to)) {
                    faults.add(room(c) + " knows " + to + ": " + dependency.getDescription());
                }
            }
        }
        assertEquals(Set.of(), faults);
    }

    /**
     * Readers, pictures and trainings may need more; what computes needs nothing but the engine.
     */
    @Test
    void blocksNeedNothingButTheEngine() {
        classes()
                .that()
                .resideInAnyPackage(
                        "org.slotwise.grouping",
                        "org.slotwise.clustering",
                        "org.slotwise.layer",
                        "org.slotwise.position",
                        "org.slotwise.encoder",
                        "org.slotwise.decoder",
                        "org.slotwise.quantization")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.slotwise..",
                        "ai.djl..",
                        "java..",
                        "org.jspecify..",
                        "org.slf4j..",
                        "org.hipparchus..")
                .check(MAIN);
    }

    @Test
    void onlyInternalTalksToTheEnginesNativeLayer() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.slotwise.internal")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl.pytorch..")
                .check(MAIN);
    }

    @Test
    void namesSayWhatThingsAre() {
        noClasses()
                .should()
                .haveNameMatching(".*(Util|Utils|Helper|Manager|Common|Base|Impl)")
                .check(MAIN);
    }

    /** Some locales have digits of their own, and commas for points: neither code nor files may. */
    @Test
    void textsAreTheSameInAllLocales() throws IOException {
        noClasses()
                .should()
                .callMethod(String.class, "format", String.class, Object[].class)
                .check(MAIN);
        Pattern numbers = Pattern.compile("%([0-9]+\\$)?[-+0-9.,#]*[deEfgGxX]");
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String code = Files.readString(file);
                assertFalse(
                        code.contains(".formatted(") && numbers.matcher(code).find(),
                        file + ": .formatted() writes numbers as %s, or not at all");
            }
        }
    }
}
