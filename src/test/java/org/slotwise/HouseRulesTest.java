package org.slotwise;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.nn.Activation;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;
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

    @Test
    void groupingKnowsOnlyWhatItIsMadeOf() {
        classes()
                .that()
                .resideInAPackage("org.slotwise.grouping")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.slotwise.grouping",
                        "org.slotwise.clustering",
                        "org.slotwise.layer",
                        "org.slotwise.position",
                        "org.slotwise.internal",
                        "ai.djl..",
                        "java..",
                        "org.jspecify..",
                        "org.slf4j..")
                .check(MAIN);
    }

    @Test
    void clusteringAndLayersKnowOnlyInternal() {
        for (String own : new String[] {"org.slotwise.clustering", "org.slotwise.layer"}) {
            classes()
                    .that()
                    .resideInAPackage(own)
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            own,
                            "org.slotwise.internal",
                            "ai.djl..",
                            "java..",
                            "org.jspecify..",
                            "org.hipparchus..")
                    .check(MAIN);
        }
    }

    @Test
    void scenesKnowNeitherWhatMakesThemNorWhatReadsThem() {
        noClasses()
                .that()
                .resideInAPackage("org.slotwise.data")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.slotwise.data.generated", "org.slotwise.data.file")
                .check(MAIN);
        noClasses()
                .that()
                .resideInAPackage("org.slotwise.data.generated")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.slotwise.data.file")
                .check(MAIN);
    }

    @Test
    void encodersAndDecodersKnowOnlyGroupingLayersAndPosition() {
        for (String own : new String[] {"org.slotwise.encoder", "org.slotwise.decoder"}) {
            classes()
                    .that()
                    .resideInAPackage(own)
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            own,
                            "org.slotwise.grouping",
                            "org.slotwise.layer",
                            "org.slotwise.position",
                            "org.slotwise.internal",
                            "ai.djl..",
                            "java..",
                            "org.jspecify..",
                            "org.slf4j..")
                    .check(MAIN);
        }
    }

    @Test
    void picturesKnowOnlyWhatNamesTheOutputs() {
        classes()
                .that()
                .resideInAPackage("org.slotwise.image")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.slotwise.image",
                        "org.slotwise.decoder",
                        "org.slotwise.grouping",
                        "org.slotwise.internal",
                        "ai.djl..",
                        "java..",
                        "javax.imageio..",
                        "org.jspecify..")
                .check(MAIN);
        noClasses()
                .that()
                .resideOutsideOfPackage("org.slotwise.image")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.slotwise.image")
                .check(MAIN);
    }

    @Test
    void quantizationKnowsOnlyLayers() {
        classes()
                .that()
                .resideInAPackage("org.slotwise.quantization")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.slotwise.quantization",
                        "org.slotwise.layer",
                        "org.slotwise.internal",
                        "ai.djl..",
                        "java..",
                        "org.jspecify..")
                .check(MAIN);
    }

    @Test
    void slateKnowsOnlyWhatItIsMadeOf() {
        classes()
                .that()
                .resideInAPackage("org.slotwise.slate")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.slotwise.slate",
                        "org.slotwise.grouping",
                        "org.slotwise.layer",
                        "org.slotwise.position",
                        "org.slotwise.internal",
                        "ai.djl..",
                        "java..",
                        "org.jspecify..")
                .check(MAIN);
        noClasses()
                .that()
                .resideOutsideOfPackage("org.slotwise.slate")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.slotwise.slate")
                .check(MAIN);
    }

    @Test
    void internalKnowsNoOtherPackage() {
        noClasses()
                .that()
                .resideInAPackage("org.slotwise.internal")
                .should()
                .dependOnClassesThat(
                        DescribedPredicate.describe(
                                "lie in another package of ours",
                                c ->
                                        c.getPackageName().startsWith("org.slotwise.")
                                                && !c.getPackageName()
                                                        .equals("org.slotwise.internal")))
                .check(MAIN);
    }

    @Test
    void nothingUsesTraining() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.slotwise.training..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.slotwise.training..")
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
}
