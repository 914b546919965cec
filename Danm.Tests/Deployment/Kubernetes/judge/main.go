// Asks Kubernetes' own code about what "Danm.Tests kubernetes-input FOLDER" wrote: each object of its kinds must be one without a field too
// many, and its ValidatingAdmissionPolicy plugin must let and refuse the requests of the table as it says there.
//
//	judge FOLDER
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	admission1 "k8s.io/api/admissionregistration/v1"
	core1 "k8s.io/api/core/v1"
	extensions1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	meta1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	strict "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

// A request as admission is told of it.
type request struct {
	What, User, Operation, Namespace, Name, Subresource string
	Node, Refusal                                        *string
	Kind                                                 schema.GroupVersionKind
	Resource                                             schema.GroupVersionResource
	Object, OldObject                                    map[string]any
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func read(name string, into any) {
	text, err := os.ReadFile(filepath.Join(os.Args[1], name))
	must(err)
	must(json.Unmarshal(text, into))
}

func main() {
	must(extensions1.AddToScheme(scheme.Scheme))
	var objects []json.RawMessage
	read("objects.json", &objects)
	var requests []request
	read("requests.json", &requests)
	known, wrong := decode(objects)
	good, bad := judge(known, requests)
	fmt.Printf("%d of %d objects are of Kubernetes' kinds, %d of them wrong; %d requests judged as expected, %d otherwise\n", len(known), len(objects), wrong, good, bad)
	if wrong+bad > 0 || len(known) == 0 || good == 0 {
		os.Exit(1)
	}
}

// As with fieldValidation=Strict.
func decode(objects []json.RawMessage) (known []runtime.Object, wrong int) {
	decoder := strict.NewSerializerWithOptions(strict.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, strict.SerializerOptions{Strict: true})
	for _, text := range objects {
		object, kind, err := decoder.Decode(text, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			continue
		}
		known = append(known, object)
		if err != nil {
			wrong++
			fmt.Printf("%v: %v\n", kind, err)
		}
	}
	return known, wrong
}

func judge(known []runtime.Object, requests []request) (good, bad int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plugin := start(ctx, known, requests)
	for _, one := range requests {
		info := &user.DefaultInfo{Name: one.User, Groups: []string{user.SystemPrivilegedGroup, user.AllAuthenticated}}
		if one.Node != nil {
			info.Extra = map[string][]string{"authentication.kubernetes.io/node-name": {*one.Node}}
		}
		options := map[string]runtime.Object{"CREATE": &meta1.CreateOptions{}, "UPDATE": &meta1.UpdateOptions{}, "DELETE": &meta1.DeleteOptions{}}[one.Operation]
		attributes := admission.NewAttributesRecord(object(one.Object), object(one.OldObject), one.Kind, one.Namespace, one.Name, one.Resource, one.Subresource,
			admission.Operation(one.Operation), options, false, info)
		err := plugin.Validate(ctx, attributes, admission.NewObjectInterfacesFromScheme(scheme.Scheme))
		if (one.Refusal == nil && err == nil) || (one.Refusal != nil && err != nil && strings.Contains(err.Error(), *one.Refusal)) {
			good++
			continue
		}
		bad++
		if one.Refusal != nil {
			fmt.Printf("%s: to be refused with %q, but: %v\n", one.What, *one.Refusal, err)
		} else {
			fmt.Printf("%s: to be allowed, but: %v\n", one.What, err)
		}
	}
	return good, bad
}

// The plugin with the policies among the objects.
func start(ctx context.Context, known []runtime.Object, requests []request) *validating.Plugin {
	stored := []runtime.Object{&core1.Namespace{ObjectMeta: meta1.ObjectMeta{Name: "default"}}, &core1.Namespace{ObjectMeta: meta1.ObjectMeta{Name: "kube-system"}}}
	seen := map[string]bool{}
	for _, one := range known {
		switch one := one.(type) {
		case *admission1.ValidatingAdmissionPolicy:
			if !seen[one.Name] {
				fillIn(one)
				stored = append(stored, one)
				seen[one.Name] = true
			}
		case *admission1.ValidatingAdmissionPolicyBinding:
			if !seen["binding "+one.Name] {
				stored = append(stored, one)
				seen["binding "+one.Name] = true
			}
		}
	}
	client := fake.NewClientset(stored...)
	factory := informers.NewSharedInformerFactory(client, 0)
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, one := range requests {
		mapper.Add(one.Kind, meta.RESTScopeNamespace)
	}
	plugin, err := validating.NewPlugin(nil)
	must(err)
	plugin.SetExternalKubeClientSet(client)
	plugin.SetExternalKubeInformerFactory(factory)
	plugin.SetRESTMapper(mapper)
	// None of the policies has parameters.
	plugin.SetDynamicClient(&dynamic.DynamicClient{})
	plugin.SetDrainedNotification(ctx.Done())
	plugin.SetAuthorizer(authorizerfactory.NewAlwaysAllowAuthorizer())
	must(plugin.ValidateInitialization())
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if !plugin.WaitForReady() {
		must(errors.New("the policies were not read"))
	}
	// It compiles them a second later.
	time.Sleep(3 * time.Second)
	return plugin
}

// What a server fills in before it stores one.
func fillIn(policy *admission1.ValidatingAdmissionPolicy) {
	match, scope := admission1.Equivalent, admission1.AllScopes
	to := policy.Spec.MatchConstraints
	to.MatchPolicy, to.NamespaceSelector, to.ObjectSelector = &match, &meta1.LabelSelector{}, &meta1.LabelSelector{}
	for i := range to.ResourceRules {
		if to.ResourceRules[i].Scope == nil {
			to.ResourceRules[i].Scope = &scope
		}
	}
}

// Kubernetes' own kinds as its server has them: without what is empty.
func object(fields map[string]any) runtime.Object {
	if fields == nil {
		return nil
	}
	untyped := &unstructured.Unstructured{Object: fields}
	kind := untyped.GroupVersionKind()
	if !scheme.Scheme.Recognizes(kind) {
		return untyped
	}
	typed, err := scheme.Scheme.New(kind)
	must(err)
	must(runtime.DefaultUnstructuredConverter.FromUnstructured(fields, typed))
	typed.GetObjectKind().SetGroupVersionKind(kind)
	return typed
}
